// Encryption: a key made from the passphrase (PBKDF2), and AES-GCM. The key never leaves the memory.

export const ITERATIONS = 600_000;
export const LEAST_CHARACTERS = 10;

const bytes = (text) => new TextEncoder().encode(text);
const CHECK = "cdss";

export const randomHex = (count) => hex(crypto.getRandomValues(new Uint8Array(count)));
export const hex = (buffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function keyOf(passphrase, salt, iterations) {
  const secret = bytes(passphrase.normalize("NFC"));
  const material = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

/** A new lock: what is stored of it, and the key. */
export async function newLock(passphrase) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const key = await keyOf(passphrase, salt, ITERATIONS);
  return { lock: { salt, iterations: ITERATIONS, check: await seal(key, CHECK, "lock") }, key };
}

/** The key of a lock, or null if the passphrase is another. */
export async function openLock(lock, passphrase) {
  const key = await keyOf(passphrase, lock.salt, lock.iterations);
  try {
    return (await unseal(key, lock.check, "lock")) === CHECK ? key : null;
  } catch {
    return null;
  }
}

/** Encrypt a text; it can only be read again under the same name. */
export async function seal(key, text, name) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const how = { name: "AES-GCM", iv, additionalData: bytes(name) };
  return { iv, data: await crypto.subtle.encrypt(how, key, bytes(text)) };
}

export async function unseal(key, { iv, data }, name) {
  const how = { name: "AES-GCM", iv, additionalData: bytes(name) };
  return new TextDecoder().decode(await crypto.subtle.decrypt(how, key, data));
}
