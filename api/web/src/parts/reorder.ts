/** Moving an item within a list. */

/** The list with one item at another place. */
export function movedTo<T>(items: readonly T[], from: number, to: number): T[] {
  const item = items[from];
  if (item === undefined || from === to) return [...items];
  return items.toSpliced(from, 1).toSpliced(to, 0, item);
}

/** Where an item that is dragged to a height belongs, by the middles of all items. */
export function placeAt(height: number, middles: readonly number[], from: number): number {
  const above = middles.filter((middle, at) => at !== from && middle < height).length;
  return above;
}
