// Numbers as people type them: a point or a comma before the decimals, nothing else.

/** The number, NaN if it is none, or null if it can be read in two ways (1,234 or 1.234). */
export function readNumber(text) {
  const written = text.trim();
  if (/^\d{1,3}[.,]\d{3}$/.test(written) && !/^0/.test(written)) return null;
  return /^\d+(?:[.,]\d+)?$/.test(written) ? Number(written.replace(",", ".")) : NaN;
}
