import type { V1Pod } from '../manifest/pod.ts';
import type { V1Event } from '../pod/events.ts';
import { type OptionSpec, usage } from './verb.ts';

export const fieldSelectorOption: OptionSpec = {
  flags: '--field-selector <fields>',
  text: 'only what has these values, as status.phase=Running,metadata.name!=web',
};

type Fields<T> = Readonly<Record<string, (item: T) => string | undefined>>;

/** What a field selector of pods may name (pkg/registry/core/pod: ToSelectableFields). */
export const podFields: Fields<V1Pod> = {
  'metadata.name': ({ metadata }) => metadata?.name,
  'metadata.namespace': ({ metadata }) => metadata?.namespace,
  'spec.nodeName': ({ spec }) => spec?.nodeName,
  'spec.restartPolicy': ({ spec }) => spec?.restartPolicy,
  'spec.schedulerName': ({ spec }) => spec?.schedulerName,
  'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName,
  'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
  'status.phase': ({ status }) => status?.phase,
  'status.podIP': ({ status }) => status?.podIP,
  'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName,
};

/** The same of events (pkg/registry/core/event: ToSelectableFields). */
export const eventFields: Fields<V1Event> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace,
  'involvedObject.kind': ({ involvedObject }) => involvedObject.kind,
  'involvedObject.name': ({ involvedObject }) => involvedObject.name,
  'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace,
  'involvedObject.uid': ({ involvedObject }) => involvedObject.uid,
  'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath,
  reason: ({ reason }) => reason,
  reportingComponent: ({ reportingComponent }) => reportingComponent,
  source: ({ source }) => source?.component,
  type: ({ type }) => type,
};

/** A field selector of kubectl, `a=b,c!=d`; a missing field is empty. Throws a usage error on anything else. */
export function parseFieldSelector<T>(text: string | undefined, fields: Fields<T>): (item: T) => boolean {
  if (text === undefined || text === '') return () => true;
  const tests = text.split(',').map((part) => {
    const [, name = '', operator = '', value = ''] = /^\s*([\w.]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part) ?? [];
    if (operator === '') throw usage(`invalid selector: '${text}'; can't understand '${part}'`);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      throw usage(`field label not supported: ${name}`, `supported: ${Object.keys(fields).join(', ')}`);
    }
    return (item: T): boolean => ((field(item) ?? '') === value) === (operator !== '!=');
  });
  return (item) => tests.every((test) => test(item));
}
