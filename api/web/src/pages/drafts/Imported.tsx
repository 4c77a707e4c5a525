export function Imported(_: { changed: () => void }) {
  return null;
}
