/** IndexedDB by promises, as little of it as the journal needs. */

/** The database, with one store of values by key; what is wrong with storage is thrown. */
export function open(factory: IDBFactory | undefined, name: string, lost: () => void): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = (factory as IDBFactory).open(name, 1); // where there is none, this fails as well
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onerror = () => failed(request.error);
    request.onsuccess = () => {
      const database = request.result;
      database.onclose = lost;
      database.onversionchange = () => (lost(), database.close());
      done(database);
    };
  });
}

const STORE = "parts";

/** What a request answered, once the transaction that was begun for it is committed. */
export function committed<T>(database: IDBDatabase, mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    transaction.onabort = () => failed(transaction.error);
    const request = ask(transaction.objectStore(STORE));
    transaction.oncomplete = () => done(request.result);
  });
}
