import { patient, plant, sick, type Patient } from '../advice/support.ts';
export { patient, plant, sick, type Patient };
export const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
export async function until(what: string, f: () => Promise<boolean>, ms = 90_000) {
  const end = Date.now() + ms;
  while (Date.now() < end) { if (await f().catch(() => false)) return; await sleep(15); }
  throw new Error('never: ' + what);
}
export async function show(shop: Patient, title: string) {
  const r = await shop.record().catch((e) => ({ e: String(e) }) as any);
  console.log(`--- ${title}\n`, JSON.stringify({ result: r.result, verdict: r.verdict, state: r.state, next: r.next, changed: r.changed,
    steps: r.steps?.map((s: any) => `${s.id} ${s.state}`), off: r.switchedOff?.map((s: any) => `${s.what} back=${s.putBackAt !== null}`),
    issues: r.issues?.map((i: any) => `${i.code}: ${i.what} | ${i.hint} | ${i.outcome ?? ''}`),
    advice: r.advice?.filter((a: any) => a.state !== 'does-not-apply').map((a: any) => [a.id, a.state, a.by, a.objects.map((o: any) => `${o.database} ${o.name} ${o.state} ${o.detail ?? ''}`)]),
    facts: r.facts?.filter((f: any) => f.verdict === 'unexpected') }, null, 1), e(r));
}
const e = (r: any) => r.e ?? '';
