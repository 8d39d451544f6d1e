import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { anEmptyDir } from '../../support/pods.ts';
import { parseManifest } from '../../../src/manifest/parse.ts';
import { podWith, problems } from './sketch.ts';

const live = readFileSync(fileURLToPath(new URL('../../manifests/live-cluster-pod.yaml', import.meta.url)), 'utf8');
const NOTICE = 'an empty folder stands for it: there is no API server to issue a token';

test('a pod that a cluster printed is a manifest, and one line says what stands for its token', () => {
  const { pods, problems: found, notices } = parseManifest(live, { file: 'live.yaml', validate: 'strict' });
  expect(found).toEqual([]);
  expect(notices).toEqual([`live.yaml:81:5: spec.volumes[0]: ${NOTICE}`]);
  expect(pods[0]?.volumes).toEqual([anEmptyDir({ name: 'kube-api-access-8zlqw' })]);
  const { metadata, status } = pods[0]?.object ?? {};
  expect(metadata).not.toHaveProperty('uid');
  expect(metadata).not.toHaveProperty('managedFields');
  expect(status).toBeUndefined();
});

test('only what a cluster has added is replaced', () => {
  const token = '{sources: [{serviceAccountToken: {path: t}}]}';
  const own = `${podWith([])}  volumes: [{name: mine, projected: ${token}}]\n`;
  expect(problems(own).join('\n')).toContain('there is no API server to issue a token');
  expect(problems(own.replace('mine', 'kube-api-access-mine'))).toEqual([]);
});
