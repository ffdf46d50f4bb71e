import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exitCode, outputsOf, overall } from '../../src/action/outputs.ts';
import { planPath } from '../../src/action/plan-file.ts';
import {
  type Mode,
  modeSchema,
  type Result,
  resultSchema,
  type UpgradeRecord,
} from '../../src/report/record.ts';
import { planRecord, refusedRecord, successRecord } from '../report/fixture.ts';

function ended(...results: (Result | null)[]): UpgradeRecord[] {
  return results.map((result) => ({ ...successRecord(), result }));
}

const path = (record: UpgradeRecord): string => `/out/${record.target.name}/report.json`;
const planned = (record: UpgradeRecord): string | null => planPath(record, '/out');
/** Set by mode list alone, which opens no target. */
const ofList = ['changed-targets', 'minor-targets', 'waves'];

describe('overall', () => {
  it.each<[Result, (Result | null)[]]>([
    ['skipped', ['skipped', 'skipped']],
    ['success', ['skipped', 'success']],
    ['paused', ['success', 'paused', 'skipped']],
    ['refused', ['success', 'refused', 'paused']],
    ['rolled-back', ['refused', 'rolled-back']],
    ['cancelled', ['rolled-back', 'cancelled']],
    ['failed', ['cancelled', 'failed', 'success']],
    ['failed', []],
    ['failed', [null]],
  ])('is %s of %j', (worst, results) => expect(overall(ended(...results))).toBe(worst));
});

describe('exitCode', () => {
  const fine: Record<'rollback' | 'other', readonly Result[]> = {
    rollback: ['rolled-back', 'skipped'],
    other: ['success', 'skipped', 'paused'],
  };

  it.each(
    modeSchema.options.flatMap((mode) =>
      resultSchema.options.map((result): [Mode, Result] => [mode, result]),
    ),
  )('of %s that ended as %s', (mode, result) => {
    const good = fine[mode === 'rollback' ? 'rollback' : 'other'].includes(result);
    expect(exitCode(mode, ended(result))).toBe(good ? 0 : 1);
  });

  it('is 1 for one bad target among good ones, for none, and for one that never ended', () => {
    expect(exitCode('upgrade', ended('success', 'skipped'))).toBe(0);
    expect(exitCode('upgrade', ended('success', 'refused'))).toBe(1);
    expect(exitCode('upgrade', [])).toBe(1);
    expect(exitCode('upgrade', ended(null))).toBe(1);
  });
});

describe('outputsOf', () => {
  const digest = 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c';
  const orders = {
    name: 'orders',
    result: 'success',
    changed: true,
    'from-version': '15.17',
    'to-version': '15.18',
    'downtime-ms': 360,
    'plan-digest': digest,
    'plan-file': null,
    'record-path': '/out/orders/report.json',
    'plan-artifact-id': null,
    'report-artifact-id': null,
    'record-artifact-id': null,
    'dump-artifact-id': null,
  };

  it('of one target has everything', () => {
    const record = successRecord();
    const artifact = { bytes: 1, sha256: '', state: 'uploaded', why: null } as const;
    record.artifacts = [
      { ...artifact, name: 'postgres-upgrade-orders-upgrade.report.html', id: 11 },
      { ...artifact, name: 'postgres-upgrade-orders-upgrade.report.json', id: 12 },
      { ...artifact, name: 'postgres-upgrade-orders-upgrade.dump.tar.age', id: 13 },
    ];
    expect(outputsOf([record], path, planned)).toEqual({
      result: 'success',
      changed: 'true',
      'from-version': '15.17',
      'to-version': '15.18',
      'downtime-ms': '360',
      'plan-digest': digest,
      'record-path': '/out/orders/report.json',
      'plan-file': '',
      'plan-artifact-id': '',
      'report-artifact-id': '11',
      'record-artifact-id': '12',
      'dump-artifact-id': '13',
      targets: JSON.stringify([
        { ...orders, 'report-artifact-id': 11, 'record-artifact-id': 12, 'dump-artifact-id': 13 },
      ]),
    });
  });

  it('of several has only what holds for all, and the rest in targets', () => {
    const stock = refusedRecord();
    stock.target.name = 'stock';
    expect(outputsOf([successRecord(), stock], path, planned)).toEqual({
      result: 'refused',
      changed: 'true',
      'from-version': '',
      'to-version': '',
      'downtime-ms': '360',
      'plan-digest': '',
      'record-path': '',
      'plan-file': '',
      'plan-artifact-id': '',
      'report-artifact-id': '',
      'record-artifact-id': '',
      'dump-artifact-id': '',
      targets: JSON.stringify([
        orders,
        {
          ...orders,
          name: 'stock',
          result: 'refused',
          changed: false,
          'to-version': '15.17',
          'downtime-ms': 0,
          'record-path': '/out/stock/report.json',
        },
      ]),
    });
  });

  it('is empty where nothing is known, and never null', () => {
    const record = { ...planRecord(), plan: null, versions: { from: null, wanted: '15.18', now: null } };
    record.artifacts = [
      { name: 'x.report.html', id: null, bytes: 0, sha256: '', state: 'failed', why: 'no' },
    ];
    const outputs = outputsOf([record], path, planned);
    expect(
      ['from-version', 'to-version', 'plan-digest', 'report-artifact-id'].map((name) => outputs[name]),
    ).toEqual(['', '', '', '']);
    expect(outputsOf([], path, planned)).toMatchObject({
      result: 'failed',
      changed: 'false',
      'downtime-ms': '0',
      targets: '[]',
    });
  });

  it('of a plan has its file and its artifact', () => {
    const record = planRecord();
    record.artifacts = [
      {
        name: 'postgres-upgrade-orders-plan.plan.json',
        id: 14,
        bytes: 1,
        sha256: '',
        state: 'uploaded',
        why: null,
      },
    ];
    const outputs = outputsOf([record], path, planned);
    expect([outputs['plan-file'], outputs['plan-artifact-id']]).toEqual(['/out/orders/plan.json', '14']);
    expect(JSON.parse(outputs.targets ?? '')).toMatchObject([
      { 'plan-file': '/out/orders/plan.json', 'plan-artifact-id': 14 },
    ]);
  });

  it('has the outputs that action.yml declares', () => {
    const { outputs } = parse(readFileSync('action.yml', 'utf8')) as { outputs: object };
    expect([...Object.keys(outputsOf([], path, planned)), ...ofList].sort()).toEqual(
      Object.keys(outputs).sort(),
    );
  });
});
