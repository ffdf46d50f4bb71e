/** Command lines of ssh. Pure: nothing of them is a secret. */
import { UpgradeError } from '../errors.ts';

/** Where ssh goes, and with what. */
export interface SshTarget {
  /** `user@host`, or `host`. */
  host: string;
  port: number | undefined;
  /** File with the private key; null for the agent and the user's own keys. */
  keyFile: string | null;
  /** File of known hosts; null for the user's own. */
  knownHostsFile: string | null;
}

/** @throws UpgradeError `ssh-connect` where it is no host name: ssh would take it for something else */
export function checkHost(host: string): void {
  if (/^([A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9]([A-Za-z0-9.:_%-]*[A-Za-z0-9])?$/.test(host)) return;
  throw new UpgradeError('ssh-connect', `${JSON.stringify(host)} is no name of a host.`, {
    hint: 'Write user@host, for example deploy@db1.example.com.',
  });
}

/**
 * The connection that all others go through. It lives as long as its standard input. The user's own configuration counts
 * (a jump host, for example); what is said here goes before it.
 * @param socket where the others find it
 */
export function masterCommand(target: SshTarget, socket: string, command: string): [string, ...string[]] {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'VerifyHostKeyDNS=no',
    'NoHostAuthenticationForLocalhost=no',
    'PasswordAuthentication=no',
    'KbdInteractiveAuthentication=no',
    'NumberOfPasswordPrompts=0',
    'ForwardAgent=no',
    'ForwardX11=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'RemoteCommand=none',
    'ConnectTimeout=10',
    'ConnectionAttempts=1',
    'ServerAliveInterval=5',
    'ServerAliveCountMax=3',
    'ControlMaster=yes',
    'ControlPersist=no',
    `ControlPath=${socket}`,
    // Without what servers print at a login; errors are of this level.
    'LogLevel=ERROR',
    ...(target.knownHostsFile === null
      ? []
      : [`UserKnownHostsFile=${target.knownHostsFile}`, 'GlobalKnownHostsFile=/dev/null', 'CheckHostIP=no']),
    ...(target.keyFile === null ? [] : ['IdentitiesOnly=yes', 'IdentityAgent=none']),
  ];
  return [
    'ssh',
    '-T',
    ...options.flatMap((option) => ['-o', option]),
    ...(target.keyFile === null ? [] : ['-i', target.keyFile]),
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    '--',
    target.host,
    command,
  ];
}

/** Through the master or not at all: a connection of its own would come without what the master was told. */
const through = (socket: string): [string, ...string[]] => [
  'ssh',
  '-T',
  '-F',
  'none',
  ...[
    'ControlMaster=no',
    `ControlPath=${socket}`,
    'ProxyCommand=false',
    'BatchMode=yes',
    'LogLevel=INFO',
  ].flatMap((option) => ['-o', option]),
];

/** A command by way of the master. */
export function commandThrough(socket: string, host: string, command: string): [string, ...string[]] {
  return [...through(socket), '--', host, command];
}

/** Standard input and output of ssh, tied to a TCP port as the host sees it. */
export function portThrough(
  socket: string,
  host: string,
  to: { host: string; port: number },
): [string, ...string[]] {
  const address = to.host.includes(':') ? `[${to.host}]` : to.host;
  return [...through(socket), '-W', `${address}:${to.port}`, '--', host];
}
