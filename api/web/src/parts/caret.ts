/** Keeping a caret at its words while the text around it changes. */

/** Where a place of one text lies in another that differs from it in one stretch. */
export function moved(place: number, before: string, after: string): number {
  let same = 0;
  while (same < before.length && same < after.length && before[same] === after[same]) same++;
  if (place <= same) return place;
  let tail = 0;
  const most = Math.min(before.length, after.length) - same;
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const fromEnd = before.length - place;
  return fromEnd <= tail ? after.length - fromEnd : Math.min(place, after.length - tail);
}
