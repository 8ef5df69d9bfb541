// Check-ups on this device: encrypted, numbered, none lost silently.

import { all, get, openDatabase, put, remove, transact } from "./database.js";
import { newLock, openLock, randomHex, seal, unseal } from "./vault.js";

const MARK = "cdss-store"; // outlives a database that was erased alone

/** Why not: full, erased, locked, wrong_passphrase, damaged or unavailable. */
export class StoreError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

const told = (error) => {
  if (error instanceof StoreError) return error;
  if (error?.name === "QuotaExceededError") return new StoreError("full", error);
  if (["InvalidStateError", "NotFoundError"].includes(error?.name)) return new StoreError("erased", error);
  return new StoreError("unavailable", error);
};

const nameOf = (device, sequence) => `${device}/${sequence}`;

export class Store {
  #database = null;
  #key = null;
  #device = "";

  get unlocked() {
    return this.#key !== null;
  }
  get device() {
    return this.#device;
  }

  /** "new", "locked", or "erased" if there was a store here and it is gone. */
  async state() {
    const lock = await this.#try(["meta"], "readonly", (meta) => get(meta, "lock"));
    if (lock) return "locked";
    return localStorage.getItem(MARK) ? "erased" : "new";
  }

  /** Open with the passphrase; makes the store the first time. */
  async unlock(passphrase) {
    const known = await this.#try(["meta"], "readonly", async (meta) => ({
      lock: await get(meta, "lock"),
      device: await get(meta, "device"),
    }));
    if (known.lock) {
      const key = await openLock(known.lock, passphrase);
      if (!key) throw new StoreError("wrong_passphrase");
      this.#key = key;
      this.#device = known.device;
    } else {
      const { lock, key } = await newLock(passphrase);
      const device = randomHex(16);
      await this.#try(["meta"], "readwrite", async (meta) => {
        await put(meta, lock, "lock");
        await put(meta, device, "device");
        await put(meta, 1, "next");
      });
      this.#key = key;
      this.#device = device;
      await navigator.storage?.persist?.();
    }
    localStorage.setItem(MARK, "1");
  }

  lock() {
    this.#key = null;
  }

  /** Keep a check-up; resolves with its number when it is on the disk. */
  async add(content) {
    this.#mustBeOpen();
    const text = JSON.stringify(content);
    // A transaction does not wait for encryption, so the number is taken first. One that is taken
    // and not used, because storing failed, stays unused: numbers are never given twice.
    const sequence = await this.#try(["meta"], "readwrite", async (meta) => {
      const next = await get(meta, "next");
      if (next === undefined) throw new StoreError("erased");
      await put(meta, next + 1, "next");
      return next;
    });
    const sealed = await seal(this.#key, text, nameOf(this.#device, sequence));
    const entry = { sequence, sealed, state: "waiting", problems: [] };
    await this.#try(["entries"], "readwrite", (entries) => put(entries, entry));
    return sequence;
  }

  /** Every check-up, oldest first: number, state, problems; without content. */
  async entries() {
    const found = await this.#try(["entries"], "readonly", (entries) => all(entries));
    return found.map(({ sequence, state, problems }) => ({ sequence, state, problems }));
  }

  /** The text of a check-up as it was stored. */
  async text(sequence) {
    this.#mustBeOpen();
    const entry = await this.#try(["entries"], "readonly", (entries) => get(entries, sequence));
    if (!entry) throw new StoreError("erased");
    try {
      return await unseal(this.#key, entry.sealed, nameOf(this.#device, sequence));
    } catch (error) {
      throw new StoreError("damaged", error);
    }
  }

  /** Note what became of a check-up: sent, refused (with what the server said), or damaged. */
  async mark(sequence, state, problems = []) {
    await this.#try(["entries"], "readwrite", async (entries) => {
      const entry = await get(entries, sequence);
      if (entry) await put(entries, { ...entry, state, problems });
    });
  }

  /** Delete what the server has. */
  async removeSent() {
    await this.#try(["entries"], "readwrite", async (entries) => {
      for (const entry of await all(entries))
        if (entry.state === "sent") await remove(entries, entry.sequence);
    });
  }

  /** Keep a small secret of the station, such as the key for the server; empty deletes it. */
  async setSecret(name, text) {
    this.#mustBeOpen();
    const sealed = text ? await seal(this.#key, text, name) : null;
    await this.#try(["meta"], "readwrite", (meta) =>
      sealed ? put(meta, sealed, name) : remove(meta, name));
  }

  async secret(name) {
    this.#mustBeOpen();
    const sealed = await this.#try(["meta"], "readonly", (meta) => get(meta, name));
    return sealed ? unseal(this.#key, sealed, name) : "";
  }

  /** Forget that there was a store that is gone. */
  forget() {
    localStorage.removeItem(MARK);
  }

  #mustBeOpen() {
    if (!this.#key) throw new StoreError("locked");
  }

  async #try(stores, mode, work) {
    for (const again of [true, false])
      try {
        this.#database ??= await openDatabase();
        return await transact(this.#database, stores, mode, work);
      } catch (error) {
        const closed = error?.name === "InvalidStateError"; // by the browser, or another tab
        if (closed) this.#database = null;
        if (!(closed && again)) throw told(error);
      }
  }
}
