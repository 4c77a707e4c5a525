/** The core: drafts that are saved as they are typed; no React and no window in it. */
export { Api, Refused, Unreachable, type Asked, type TokenSource } from "./api";
export { adoptLocalStorage, type Adopted } from "./adopt";
export { Client, type ClientOptions, type Unsent, type Which } from "./client";
export { browser, type Environment } from "./environment";
export { asData, same, type Data, type Json } from "./json";
export { diff as changesBetween, type Operation } from "./changes";
export { keepAsFork, keepAsNew } from "./late";
export { get as valueAt, related, steps as pathIn } from "./path";
export { type Present } from "./following";
export { DraftSession, type Snapshot } from "./session";
export type { Status, StatusKind } from "./status";
export { inWords } from "./words";
export type * from "./wire";
