/** What ssh says, told apart. Pure. */
import { UpgradeError } from '../errors.ts';
import { lastLines } from './run.ts';

/** Where it was to go. */
export interface SshPlace {
  /** `user@host`, or `host`. */
  host: string;
  port: number | undefined;
  /** Whether key and known hosts came from the spec. */
  ownKey: boolean;
  ownKnownHosts: boolean;
}

/** Messages of OpenSSH's sshconnect.c. */
const keyChanged =
  /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* (?:has changed|was revoked)|REVOKED HOST KEY/i;
const keyUnknown = /Host key verification failed|host key is known for/i;
/** Of sshconnect2.c and authfile.c; the last two say that the key itself cannot be used. */
const refused = /Permission denied|Too many authentication failures|Load key ".*":|invalid format/i;

/** Without a master ssh goes to the command `false` and says this: then nothing was sent. */
export const neverSent = /closed by UNKNOWN port/;

/** Why no connection came. @param said what ssh printed @param place where to */
export function connectError(said: string, place: SshPlace): UpgradeError {
  const name = place.host.replace(/^.*@/, '');
  const port = place.port === undefined ? '' : ` -p ${place.port}`;
  const compare = `Get its lines with ssh-keyscan${port} ${name}, compare their fingerprints (ssh-keygen -lf FILE) with what the machine itself says on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Where they agree, put the line into ${place.ownKnownHosts ? 'the secret of environment.ssh.known-hosts' : 'known_hosts of the user that runs this job, or into a secret for environment.ssh.known-hosts'}.`;
  if (keyChanged.test(said)) {
    const sent = /SHA256:[\w+/]+/.exec(said)?.[0];
    return new UpgradeError(
      'ssh-host-key',
      `${place.host} answers with another host key than the known one${sent ? ` (it sends ${sent})` : ''}: it may not be the machine that was meant. Nothing was sent to it.`,
      { hint: `Find out why: the machine was installed anew, or somebody stands in between. ${compare}` },
    );
  }
  if (keyUnknown.test(said)) {
    return new UpgradeError(
      'ssh-host-key',
      `The host key of ${place.host} is not known: nothing says that it is the machine that was meant. Nothing was sent to it.`,
      { hint: `${compare}\n${lastLines(said, 3)}` },
    );
  }
  if (refused.test(said)) {
    return new UpgradeError('ssh-login', `${place.host} refuses the login.`, {
      hint: `${clean(said)}\nThe public half of ${place.ownKey ? 'the key of environment.ssh.key' : "the agent's key, or of the user's own,"} must stand in ~/.ssh/authorized_keys of that user. A key with a passphrase cannot be used here. Passwords are never tried.`,
    });
  }
  return new UpgradeError('ssh-connect', `${place.host} cannot be reached by ssh.`, {
    hint: `${clean(said) || 'ssh said nothing.'}\nTry it from the machine of the runner, as its user: ssh${port} ${place.host} true.`,
  });
}

/** The key is read by way of a name that means nothing to people. */
function clean(said: string): string {
  return lastLines(said.replaceAll(/"?\/proc\/\d+\/fd\/\d+"?/g, 'the key'));
}
