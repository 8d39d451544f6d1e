import { describe, expect, test } from 'vitest';
import { buildConfinement } from '../../../src/manifest/build-confinement.ts';
import { C, pod, problems } from './sketch.ts';

const S = `${C}.securityContext.seccompProfile`;

describe('a seccomp profile', () => {
  test.each([
    ['has no type', '{}', `9:39: ${S}.type: Required value: type is required when seccompProfile is set`],
    [
      'has a type that there is not',
      '{type: Strict}',
      `9:46: ${S}.type: Unsupported value: "Strict": supported values: "Localhost", "RuntimeDefault", "Unconfined"`,
    ],
    [
      'is of a file that is not named',
      '{type: Localhost}',
      `9:39: ${S}.localhostProfile: Required value: must be set when seccomp type is Localhost`,
    ],
    [
      'is of an absolute path',
      '{type: Localhost, localhostProfile: /etc/p.json}',
      `9:75: ${S}.localhostProfile: Invalid value: "/etc/p.json": must be a relative path`,
    ],
    [
      'is of a path that leads out',
      '{type: Localhost, localhostProfile: a/../../p.json}',
      `9:75: ${S}.localhostProfile: Invalid value: "a/../../p.json": must not contain '..'`,
    ],
    [
      'names a file that it does not use',
      '{type: RuntimeDefault, localhostProfile: p.json}',
      `9:80: ${S}.localhostProfile: Invalid value: "p.json": can only be set when seccomp type is Localhost`,
    ],
  ])('%s', (_, profile, problem) => {
    expect(problems(pod([`securityContext: {seccompProfile: ${profile}}`]))).toEqual([problem]);
  });
});

describe('what confines a container', () => {
  const container = { name: 'c' };
  const of = (type: string, localhostProfile?: string): object => ({ seccompProfile: { type, localhostProfile } });

  test.each([
    ['is RuntimeDefault when nobody says anything', undefined, undefined, { kind: 'runtimeDefault' }],
    ["is the pod's word", of('Unconfined'), undefined, { kind: 'unconfined' }],
    ['is its own word', of('Unconfined'), of('RuntimeDefault'), { kind: 'runtimeDefault' }],
    ['may be a file', undefined, of('Localhost', 'a.json'), { kind: 'localhost', file: 'a.json' }],
    ['is nothing when it is privileged', of('Localhost', 'a'), { privileged: true }, { kind: 'unconfined' }],
  ])('%s', (_, ofPod, own, seccomp) => {
    expect(buildConfinement(ofPod, { ...container, ...(own && { securityContext: own }) })).toMatchObject({ seccomp });
  });

  const armor = (type: string, localhostProfile?: string): object => ({ appArmorProfile: { type, localhostProfile } });

  test.each([
    ['nobody says anything', undefined, undefined, { kind: 'runtimeDefault', demanded: false }],
    ['the pod does', armor('RuntimeDefault'), undefined, { kind: 'runtimeDefault', demanded: true }],
    ['its own word goes before', armor('Localhost', 'a'), armor('Unconfined'), { kind: 'unconfined', demanded: false }],
    ['it names one', undefined, armor('Localhost', 'a'), { kind: 'localhost', profile: 'a', demanded: true }],
    ['it is privileged', armor('Localhost', 'a'), { privileged: true }, { kind: 'unconfined', demanded: true }],
  ])('AppArmor: %s', (_, ofPod, own, appArmor) => {
    expect(buildConfinement(ofPod, { ...container, ...(own && { securityContext: own }) })).toMatchObject({ appArmor });
  });
});
