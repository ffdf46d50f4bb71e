/** How much of everything the sample holds. */

export interface Volume {
  customers: number;
  products: number;
  orders: number;
  tickets: number;
  bookings: number;
  devices: number;
  samples: number;
  /** Bytes in each of the four big large objects; the twenty small ones do not grow. */
  bigObject: number;
}

/** Days of 2025 that orders and samples are spread over: all of it but the last day. */
export const days = 364;

/**
 * Scale 1 is about 200 MB on disk. Each number has a floor, so that even the smallest sample has
 * rows in every table and every partition.
 * @throws RangeError where the scale is not above 0 and at most 100
 */
export function volume(scale: number): Volume {
  if (!(scale > 0 && scale <= 100))
    throw new RangeError(`scale must be above 0 and at most 100, not ${scale}`);
  const scaled = (atOne: number, atLeast: number): number => Math.max(atLeast, Math.round(atOne * scale));
  return {
    customers: scaled(20_000, 50),
    products: scaled(4_000, 40),
    orders: scaled(250_000, 500),
    tickets: scaled(20_000, 40),
    bookings: scaled(5_000, 40),
    devices: scaled(200, 8),
    samples: scaled(900_000, 500),
    bigObject: scaled(1024 * 1024, 4096),
  };
}

/** A count for people: 250,000. */
export function words(count: number): string {
  return count.toLocaleString('en-US');
}
