// The store, the queue and the server's versions as one thing that the views share.

import { EDITION } from "./made/edition.js";
import { send } from "./queue.js";
import { Store, StoreError } from "./store.js";
import { compare, serverVersions } from "./versions.js";

const IDLE = 10 * 60_000; // milliseconds without a touch until the store is locked
const EVERY = 60_000; // between attempts to send
const RARELY = 3_600_000; // between looks at the server's versions
const KEY = "server-key";

export class Station extends EventTarget {
  store = new Store();
  sending = false;
  last = null; // what the last attempt to send came to
  versions = null; // how the server's compare with ours, once it answered
  #touched = Date.now();
  #again = false;
  #compared = 0;

  constructor() {
    super();
    for (const kind of ["pointerdown", "keydown"])
      addEventListener(kind, () => (this.#touched = Date.now()));
    addEventListener("online", () => this.sync());
    setInterval(() => this.#tick(), EVERY);
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  async unlock(passphrase) {
    await this.store.unlock(passphrase);
    this.changed();
    this.sync();
  }

  lock() {
    this.store.lock();
    this.changed();
  }

  async save(content) {
    const sequence = await this.store.add(content);
    this.changed();
    this.sync();
    return sequence;
  }

  /** Send what waits, if the store is open, and look at the server's versions. */
  async sync() {
    this.#again = this.sending; // what was kept meanwhile is sent after what is being sent
    if (this.sending || !this.store.unlocked) return;
    this.sending = true;
    this.changed();
    try {
      const key = await this.store.secret(KEY);
      this.last = await send(this.store, EDITION.server, key, () => this.changed());
      await this.#compare(key);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.last = { stopped: error.code };
    } finally {
      this.sending = false;
      this.changed();
    }
    if (this.#again) await this.sync();
  }

  async setKey(key) {
    await this.store.setSecret(KEY, key.trim());
    this.sync();
  }

  /** Everything stored, decrypted, for export; and the numbers of what cannot be read. */
  async checkups() {
    const found = [];
    const damaged = [];
    for (const { sequence } of await this.store.entries())
      try {
        found.push({ sequence, content: JSON.parse(await this.store.text(sequence)) });
      } catch (error) {
        if (error.code !== "damaged") throw error;
        damaged.push(sequence);
      }
    return { found, damaged };
  }

  /** Look at the server's versions, once in a while. */
  async #compare(key) {
    if (this.versions && Date.now() - this.#compared < RARELY) return;
    const there = await serverVersions(EDITION.server, key);
    if (!there) return;
    this.versions = compare(EDITION.models, there);
    this.#compared = Date.now();
  }

  #tick() {
    if (this.store.unlocked && Date.now() - this.#touched > IDLE) this.lock();
    else this.sync();
  }
}
