/** Times that a server wrote as text. */
import { formatTime } from './format.ts';

/** In the notation of all reports where it is a time, else as it is. */
export function momentWords(value: string): string {
  return /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)) ? formatTime(value) : value;
}
