import { describe, expect, it } from 'vitest';
import { changedBeside } from '../../src/upgrade/step-kinds.ts';
import { planned } from './world.ts';

describe('changedBeside', () => {
  const steps = [
    planned('packages'),
    planned('stop-applications', { undo: 'start them' }),
    planned('install', { undo: 'install the saved files again' }),
    planned('restart', { undo: 'restart', breaks: 'every session ends' }),
  ];
  const ids = (states: Record<string, 'started' | 'done' | 'failed' | 'undone'>): string[] =>
    changedBeside(steps, new Map(Object.entries(states))).map(({ id }) => id);

  it('is what was begun, can be taken back, and breaks no client', () => {
    expect(ids({ packages: 'done', 'stop-applications': 'done', install: 'started' })).toEqual(['install']);
    expect(ids({ install: 'done', restart: 'done' })).toEqual(['install']);
    expect(ids({ install: 'failed' })).toEqual(['install']);
  });

  it('is not what nobody began, or what was taken back', () => {
    expect(ids({})).toEqual([]);
    expect(ids({ packages: 'done', restart: 'done' })).toEqual([]);
    expect(ids({ install: 'undone', restart: 'undone' })).toEqual([]);
  });
});
