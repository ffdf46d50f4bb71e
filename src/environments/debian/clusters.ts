/** What `pg_lsclusters` says. Pure. */
import { z } from 'zod';
import { UpgradeError } from '../../errors.ts';

/** One cluster of the machine. */
export interface DebianCluster {
  version: number;
  cluster: string;
  port: number;
  running: boolean;
  /** Data directory, as the cluster's configuration spells it. */
  data: string;
  configuration: string;
  /** Its log file; null where it logs elsewhere. */
  log: string | null;
  /** Somebody else who starts and stops it, `patroni` for example; null for nobody. */
  supervisor: string | null;
  /** `auto`, `manual` or `disabled` (start.conf); null where it was not said. */
  start: string | null;
}

/** Fields of PgCommon.pm's cluster_info that are read here; numbers come as numbers or texts. */
const entry = z.object({
  version: z.coerce.number(),
  cluster: z.string(),
  port: z.coerce.number().catch(0),
  running: z.union([z.number(), z.string(), z.boolean(), z.null()]).optional(),
  pgdata: z.string().nullish(),
  configdir: z.string().nullish(),
  logfile: z.string().nullish(),
  supervisor: z.string().nullish(),
  start: z.string().nullish(),
});

/**
 * Reads `pg_lsclusters --json`, or the table that it prints without libjson-perl (`--no-header`). Versions that are no
 * number are left out. @throws UpgradeError `clusters-unreadable`
 */
export function readClusters(text: string): DebianCluster[] {
  if (!text.trimStart().startsWith('[')) return text.split('\n').flatMap(readRow);
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new UpgradeError('clusters-unreadable', 'pg_lsclusters --json did not print JSON.', {
      phase: 'inspect',
      hint: `It printed: ${text.slice(0, 300).trim()}`,
      cause,
    });
  }
  return z
    .array(z.unknown())
    .parse(found)
    .flatMap((each) => {
      const { data } = entry.safeParse(each);
      if (!data) return [];
      return [
        {
          version: data.version,
          cluster: data.cluster,
          port: data.port,
          running: data.running === true || Number(data.running ?? 0) === 1,
          data: data.pgdata ?? '',
          configuration: data.configdir ?? `/etc/postgresql/${data.version}/${data.cluster}`,
          log: data.logfile || null,
          supervisor: data.supervisor || null,
          start: data.start ?? null,
        },
      ];
    });
}

/** Words of the status column that say nothing of a supervisor (pg_lsclusters(1)). */
const ordinary: readonly string[] = ['online', 'down', 'recovery', 'binaries_missing'];

/** `15  main  5432 online postgres /var/lib/postgresql/15/main /var/log/postgresql/postgresql-15-main.log` */
function readRow(line: string): DebianCluster[] {
  const found = /^(\d+)\s+(\S+)\s+(\d+)\s+(\S+)\s+\S+\s+(\S.*?)\s+(\S+)\s*$/.exec(line);
  if (!found) return [];
  const [, version, cluster = '', port, status = '', data = '', log = ''] = found;
  const words = status.split(',');
  return [
    {
      version: Number(version),
      cluster,
      port: Number(port),
      running: words.includes('online'),
      data,
      configuration: `/etc/postgresql/${version}/${cluster}`,
      log: log.startsWith('/') ? log : null,
      supervisor: words.find((word) => !ordinary.includes(word)) ?? null,
      start: null,
    },
  ];
}

/** The cluster that is meant. @throws UpgradeError `cluster-missing`, `cluster-supervised` */
export function findCluster(
  clusters: readonly DebianCluster[],
  version: number,
  name: string,
  where: string,
): DebianCluster {
  const found = clusters.find((each) => each.version === version && each.cluster === name);
  if (!found) {
    const there = clusters.map((each) => `${each.version}/${each.cluster}`).join(', ');
    throw new UpgradeError('cluster-missing', `There is no cluster ${version}/${name} on ${where}.`, {
      phase: 'inspect',
      hint: `pg_lsclusters shows: ${there || 'no cluster at all'}. Correct environment.version and environment.cluster.`,
    });
  }
  if (found.supervisor !== null) {
    throw new UpgradeError(
      'cluster-supervised',
      `The cluster ${version}/${name} on ${where} is managed by ${found.supervisor}, which restarts it as it sees fit.`,
      {
        phase: 'inspect',
        hint: `Upgrade it the way ${found.supervisor} does: this kind of environment only knows clusters that nobody else manages.`,
      },
    );
  }
  return found;
}
