/** Reads CVE records (format 5) of the PostgreSQL project: the files data/security/cve/CVE-*.json of its website. */
import { z } from 'zod';

/** One record. `fixedIn`: the release of each branch that is said to be the first without the fault. */
export interface CveRecord {
  id: string;
  score: number | null;
  component: string | null;
  fixedIn: string[];
}

const score = z.looseObject({ baseScore: z.number().min(0).max(10) });

const schema = z.looseObject({
  cveMetadata: z.looseObject({ cveId: z.string().regex(/^CVE-\d{4}-\d{4,}$/, 'is no CVE number') }),
  containers: z.looseObject({
    cna: z.looseObject({
      x_postgresql: z.looseObject({ component: z.string() }).optional(),
      affected: z.array(
        z.looseObject({
          product: z.string(),
          versions: z.array(z.looseObject({ lessThan: z.string().optional(), status: z.string() })),
        }),
      ),
      metrics: z
        .array(
          z.looseObject({
            cvssV3_1: score.optional(),
            cvssV3_0: score.optional(),
            cvssV4_0: score.optional(),
          }),
        )
        .optional(),
    }),
  }),
});

/** @returns null for a product other than PostgreSQL itself @throws Error for anything that is no such record */
export function parseCve(text: string): CveRecord | null {
  const { cveMetadata, containers } = schema.parse(JSON.parse(text));
  const { affected, metrics = [], x_postgresql } = containers.cna;
  const own = affected.filter(({ product }) => product === 'PostgreSQL');
  if (own.length === 0) return null;
  const scores = metrics.flatMap(
    ({ cvssV3_1, cvssV3_0, cvssV4_0 }) => cvssV3_1 ?? cvssV3_0 ?? cvssV4_0 ?? [],
  );
  return {
    id: cveMetadata.cveId,
    score: scores[0]?.baseScore ?? null,
    component: x_postgresql?.component ?? null,
    fixedIn: own
      .flatMap(({ versions }) => versions)
      .filter(({ status, lessThan }) => status === 'affected' && /^\d+\.\d+$/.test(lessThan ?? ''))
      .map(({ lessThan = '' }) => lessThan),
  };
}
