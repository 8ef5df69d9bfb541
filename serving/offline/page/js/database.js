// The browser's database, as promises; a write is told as done when the browser says it is on disk.

const NAME = "cdss-offline";

export function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("meta");
      request.result.createObjectStore("entries", { keyPath: "sequence" });
    };
    request.onsuccess = () => {
      // Another tab that deletes or changes the database must not wait for this one.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
}

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Do some work in one transaction: all of it or nothing. */
export async function transact(database, stores, mode, work) {
  const transaction = database.transaction(stores, mode, { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
  });
  try {
    const found = await work(...stores.map((name) => transaction.objectStore(name)));
    await done;
    return found;
  } catch (error) {
    done.catch(() => {});
    try {
      transaction.abort();
    } catch {
      // It has ended already.
    }
    throw transaction.error ?? error;
  }
}

export const get = (store, key) => settled(store.get(key));
export const all = (store) => settled(store.getAll());
export const put = (store, value, key) => settled(store.put(value, key));
export const remove = (store, key) => settled(store.delete(key));
