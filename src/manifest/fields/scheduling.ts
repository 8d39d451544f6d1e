import { type Field, type Rows, noMeaning, supported } from './row.ts';

const only = (type: string): Field => noMeaning(type);

/** Where a cluster would put the pod. One host has no choice; a wrong shape is still reported. */
export const schedulingTables = {
  Affinity: {
    nodeAffinity: only('NodeAffinity'),
    podAffinity: only('PodAffinity'),
    podAntiAffinity: only('PodAntiAffinity'),
  },
  NodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: only('[]PreferredSchedulingTerm'),
    requiredDuringSchedulingIgnoredDuringExecution: only('NodeSelector'),
  },
  PreferredSchedulingTerm: { preference: only('NodeSelectorTerm'), weight: only('int32') },
  NodeSelector: { nodeSelectorTerms: only('[]NodeSelectorTerm') },
  NodeSelectorTerm: {
    matchExpressions: only('[]NodeSelectorRequirement'),
    matchFields: only('[]NodeSelectorRequirement'),
  },
  NodeSelectorRequirement: { key: only('string'), operator: only('string'), values: only('[]string') },
  PodAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: only('[]WeightedPodAffinityTerm'),
    requiredDuringSchedulingIgnoredDuringExecution: only('[]PodAffinityTerm'),
  },
  PodAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: only('[]WeightedPodAffinityTerm'),
    requiredDuringSchedulingIgnoredDuringExecution: only('[]PodAffinityTerm'),
  },
  WeightedPodAffinityTerm: { podAffinityTerm: only('PodAffinityTerm'), weight: only('int32') },
  PodAffinityTerm: {
    labelSelector: only('LabelSelector'),
    matchLabelKeys: only('[]string'),
    mismatchLabelKeys: only('[]string'),
    namespaceSelector: only('LabelSelector'),
    namespaces: only('[]string'),
    topologyKey: only('string'),
  },
  LabelSelector: {
    matchExpressions: only('[]LabelSelectorRequirement'),
    matchLabels: only('map[string]string'),
  },
  LabelSelectorRequirement: { key: only('string'), operator: only('string'), values: only('[]string') },
  Toleration: {
    effect: only('string'),
    key: only('string'),
    operator: only('string'),
    tolerationSeconds: only('int64'),
    value: only('string'),
  },
  TopologySpreadConstraint: {
    labelSelector: only('LabelSelector'),
    matchLabelKeys: only('[]string'),
    maxSkew: only('int32'),
    minDomains: only('int32'),
    nodeAffinityPolicy: only('string'),
    nodeTaintsPolicy: only('string'),
    topologyKey: only('string'),
    whenUnsatisfiable: only('string'),
  },
  PodReadinessGate: { conditionType: supported('string', { note: 'Required.' }) },
  PodSchedulingGate: { name: only('string') },
  PodSchedulingGroup: { podGroupName: only('string') },
} as const satisfies Readonly<Record<string, Rows>>;
