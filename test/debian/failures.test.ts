/**
 * A fault at each step of the procedure, on a real Debian over ssh, under load. Whatever happens: the database serves, the
 * application is on, no acknowledged write is lost, nothing stays switched off, and the record says what happened.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPost } from '../support/runner.ts';
import { type BedTarget, lostOrders, storefront, targetOn } from './support/action.ts';
import { type Bed, startBed } from './support/bed.ts';
import { startWriter } from './support/writer.ts';

/** What was seen of each fault; printed as a table at the end. */
const seen: string[][] = [];

describe.each(['pg_ctlcluster', 'systemd'] as const)('under %s', (supervisor) => {
  let bed: Bed;
  let target: BedTarget;
  beforeAll(async () => {
    bed = await startBed({ supervisor });
    target = await targetOn(bed);
    await bed.run('storefront', 'start');
    await bed.run(
      'runuser',
      '-u',
      'postgres',
      '--',
      'psql',
      '-Xqp',
      `${bed.postgres.port}`,
      '-d',
      'shop',
      '-c',
      'CREATE EXTENSION pgcrypto',
    );
  });
  afterAll(async () => {
    await target?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
    if (supervisor === 'systemd')
      console.table(
        seen.map(([fault, how, end, lost, gap]) => ({ fault, how, end, lost, 'longest gap': gap })),
      );
  });

  const file = (path: string): string => join(bed.root, path);
  /** apt runs a script of ours after dpkg: where the new version was installed, it breaks it. */
  const breakNewVersion = async (how: string): Promise<void> => {
    const hook = `/usr/lib/postgresql/15/bin/postgres --version | grep -q '(PostgreSQL) ${bed.versions.new} ' || exit 0\n${how}\n`;
    await writeFile(file('/root/hook'), hook);
    await writeFile(file('/etc/apt/apt.conf.d/99fault'), 'DPkg::Post-Invoke { "sh /root/hook"; };\n');
  };
  const mend = async (): Promise<void> => {
    await rm(file('/etc/apt/apt.conf.d/99fault'), { force: true });
  };

  /** The end of every case, whatever was planted. */
  const expectWell = async (
    fault: string,
    version: string,
    result: string,
    writer: Awaited<ReturnType<typeof startWriter>>,
  ): Promise<void> => {
    const { longestGapMs } = await writer.stop();
    const [missing, orders] = [await writer.missing(), await lostOrders(bed)];
    seen.push([
      fault,
      supervisor,
      `${result}, ${await target.version()} serves`,
      `${missing.length + orders.length}`,
      `${Math.round(longestGapMs)} ms`,
    ]);
    expect(await target.version()).toBe(version);
    expect([missing, orders]).toEqual([[], []]);
    expect((await fetch(bed.application.health)).status).toBe(200);
    expect((await bed.run('test', '-e', '/usr/sbin/policy-rc.d')).code).toBe(1);
    expect((await bed.run('dpkg', '--audit')).stdout).toBe('');
  };

  interface Fault {
    name: string;
    plant(): Promise<void>;
    mend(): Promise<void>;
    /** Code of the issue that the record must name. */
    code: string;
    more?: string;
    start?: string;
  }

  const faults: Fault[] = [
    {
      name: 'apt fails',
      plant: () => writeFile(file('/etc/apt/apt.conf.d/99fault'), 'DPkg::Pre-Install-Pkgs { "exit 1"; };\n'),
      mend,
      code: 'packages-install',
    },
    {
      name: 'package postinst fails',
      async plant() {
        const functions = '/usr/share/postgresql-common/maintscripts-functions';
        await bed.run('cp', functions, '/root/functions');
        await bed.run(
          'sh',
          '-c',
          `echo 'if [ "$1" = configure ] && /usr/lib/postgresql/15/bin/postgres --version | grep -q "(PostgreSQL) ${bed.versions.new} "; then echo planted >&2; exit 1; fi' >>${functions}`,
        );
      },
      mend: async () =>
        void (await bed.run('cp', '/root/functions', '/usr/share/postgresql-common/maintscripts-functions')),
      code: 'packages-install',
    },
    {
      name: 'server does not start',
      plant: () =>
        breakNewVersion(`cd /usr/lib/postgresql/15/bin && mv postgres postgres.real && cat >postgres <<'EOF'
#!/bin/sh
case " $* " in *" -V "* | *" --version "*) exec /usr/lib/postgresql/15/bin/postgres.real "$@" ;; esac
echo 'FATAL:  planted: this server does not start' >&2
exit 1
EOF
chmod 755 postgres`),
      mend,
      code: 'server-start',
    },
    {
      name: 'extension does not load',
      plant: () => breakNewVersion('rm /usr/lib/postgresql/15/lib/pgcrypto.so'),
      mend,
      code: 'extension-broken',
      more: `    extensions: { pgcrypto: { version-sql: "SELECT encode(digest('a', 'md5'), 'hex')" } }\n`,
    },
    {
      name: 'application does not come up',
      async plant() {
        await writeFile(
          file('/usr/local/bin/start-storefront'),
          `#!/bin/sh\nif runuser -u postgres -- psql -XAtqp ${bed.postgres.port} -c 'SHOW server_version' | grep -q '^${bed.versions.new} '; then echo planted >&2; exit 1; fi\nexec storefront start\n`,
          { mode: 0o755 },
        );
      },
      mend: async () => {},
      code: 'put-back',
      start: '[start-storefront]',
    },
  ];

  test.each(faults.map((fault) => [fault.name, fault] as const))('%s', async (name, fault) => {
    await target.spec({
      more: `${storefront(bed, fault.start)}\n${fault.more ?? ''}`,
    });
    await fault.plant();
    await using writer = await startWriter(bed.postgres.url);
    await using result = await target.run('upgrade');
    await fault.mend();
    expect(result.conclusion, result.log).toBe('failure');
    const record = await target.record();
    await expectWell(name, bed.versions.old, record.result ?? '', writer);
    expect(record.result, result.log).toBe('rolled-back');
    expect(record.issues.map(({ code }) => code)).toEqual([fault.code]);
    expect(record.switchedOff.filter(({ putBackAt }) => putBackAt === null)).toEqual([]);
    expect(await target.installed()).toBe(bed.packages.old);
  });

  /** Ends every ssh session of the action on the machine: what they started there must go on. */
  const dropConnections = (): Promise<unknown> => bed.run('pkill', '-KILL', '-u', 'deploy', 'sshd');

  test('ssh drops again and again, from the installation to the end', async () => {
    await target.spec({ more: storefront(bed) });
    await using writer = await startWriter(bed.postgres.url);
    await using running = target.start('upgrade');
    await running.line(/\d\/\d+ Install/);
    let dropping = true;
    const drops = (async () => {
      let count = 0;
      while (dropping) {
        await dropConnections();
        count += 1;
        await new Promise((resolve) => setTimeout(resolve, 1500));
      }
      return count;
    })();
    const result = await running.done;
    dropping = false;
    expect(await drops).toBeGreaterThan(3);
    expect(result.conclusion, result.log).toBe('success');
    await expectWell('ssh drops mid-step', bed.versions.new, 'success', writer);
    expect(await target.installed()).toBe(bed.packages.new);
  });

  test('back again, for the next ones', async () => {
    await using result = await target.run('rollback');
    expect(result.conclusion, result.log).toBe('success');
    expect(await target.version()).toBe(bed.versions.old);
  });

  test.each([
    ['Fetch the packages', 'in the packages'],
    ['Install', 'in the installation'],
    ['Restart on', 'in the restart'],
  ])(
    'killed at "%s": the post step brings everything back, and a second run finishes',
    async (line, where) => {
      await target.spec({ more: storefront(bed) });
      await using writer = await startWriter(bed.postgres.url);
      await using running = target.start('upgrade');
      await running.line(new RegExp(`\\d/\\d+ ${line}`));
      running.kill9();
      await using killed = await running.done;
      await using post = await runPost(killed);
      expect((await target.record()).result, post.log).toBe('cancelled');
      expect((await fetch(bed.application.health)).status, post.log).toBe(200);
      expect(['', bed.versions.old, bed.versions.new]).toContain(await target.version());
      await using again = await target.run('upgrade');
      expect(again.conclusion, again.log).toBe('success');
      await expectWell(`killed ${where}, run again`, bed.versions.new, 'success', writer);
      await using back = await target.run('rollback');
      expect(back.conclusion, back.log).toBe('success');
      expect(await target.installed()).toBe(bed.packages.old);
    },
  );
});
