/** Reads https://www.postgresql.org/versions.json: the newest release of each major, and when its fixes end. */
import { z } from 'zod';

const schema = z.array(
  z.looseObject({
    major: z.string(),
    latestMinor: z.string(),
    relDate: z.string(),
    eolDate: z.string(),
  }),
);

/** One major; days are YYYY-MM-DD, `relDate` is that of the newest release. */
export interface MajorVersion {
  major: string;
  latestMinor: string;
  relDate: string;
  eolDate: string;
}

/** Majors since 13. @throws Error for anything that is no such list */
export function parseVersions(text: string): MajorVersion[] {
  return schema.parse(JSON.parse(text)).filter(({ major }) => /^\d+$/.test(major) && Number(major) >= 13);
}
