/** The folded sections of a job summary, in the order of report.html; null where the record has nothing to say. */
import { asksApproval } from './plan-words.ts';
import type { UpgradeRecord } from './record.ts';
import { adviceDetails } from './summary-advice.ts';
import { backupDetails, performanceDetails } from './summary-backup.ts';
import { checkDetails, factDetails } from './summary-checks.ts';
import { extensionDetails } from './summary-extensions.ts';
import { healthDetails, queryDetails } from './summary-health.ts';
import {
  artifactDetails,
  communicationDetails,
  issueDetails,
  overrideDetails,
  switchedOffDetails,
} from './summary-log.ts';
import { type Detail, stack } from './summary-parts.ts';
import { rehearsalDetails } from './summary-rehearsal.ts';
import { cveDetails } from './summary-release.ts';
import { planDetails, stepDetails } from './summary-steps.ts';
import { watchDetails } from './summary-watch.ts';

const SECTIONS = [
  rehearsalDetails,
  overrideDetails,
  stepDetails,
  watchDetails,
  adviceDetails,
  factDetails,
  extensionDetails,
  cveDetails,
  healthDetails,
  queryDetails,
  checkDetails,
  backupDetails,
  performanceDetails,
  switchedOffDetails,
  issueDetails,
  communicationDetails,
  artifactDetails,
  planDetails,
];

/** All folded sections of a record. */
export function detailSections(record: UpgradeRecord, detail: Detail): string {
  // Who is to approve the plan reads it before anything else.
  const order = asksApproval(record)
    ? [planDetails, ...SECTIONS.filter((section) => section !== planDetails)]
    : SECTIONS;
  return stack(...order.map((section) => section(record, detail)));
}
