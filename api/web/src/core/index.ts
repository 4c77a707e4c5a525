/** The core: drafts that are saved as they are typed; no React and no window in it. */
export { Api, Refused, Unreachable, type Asked, type TokenSource } from "./api";
export { asData, same, type Data, type Json } from "./json";
export { get as valueAt, related } from "./path";
export type * from "./wire";
