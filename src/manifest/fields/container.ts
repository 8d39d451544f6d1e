import { type Rows, noMeaning, refused, supported } from './row.ts';

/** Container and what hangs on it: environment, ports, lifecycle handlers, probes, resources, restart rules. */
export const containerTables = {
  Container: {
    name: supported('string', { note: 'Required, unique in the pod.' }),
    image: supported('string', { note: 'Required.' }),
    imagePullPolicy: supported('string', {
      values: ['Always', 'IfNotPresent', 'Never'],
      note: 'Missing: `Always` for the tag `latest` or no tag, else `IfNotPresent`.',
    }),
    command: supported('[]string', { note: "Replaces the image's ENTRYPOINT; `$(VAR)` is expanded." }),
    args: supported('[]string', { note: "Replaces the image's CMD; `$(VAR)` is expanded." }),
    workingDir: supported('string'),
    env: supported('[]EnvVar'),
    envFrom: supported('[]EnvFromSource'),
    ports: supported('[]ContainerPort', { note: 'Informational, as in Kubernetes, but for `hostPort`.' }),
    lifecycle: supported('Lifecycle'),
    livenessProbe: supported('Probe'),
    readinessProbe: supported('Probe'),
    startupProbe: supported('Probe'),
    restartPolicy: supported('string', {
      values: ['Always', 'OnFailure', 'Never'],
      note: "Before the pod's; `Always` makes an init container a sidecar.",
    }),
    restartPolicyRules: supported('[]ContainerRestartRule', { note: 'Need `restartPolicy`.' }),
    resources: supported('ResourceRequirements', { preset: {} }),
    resizePolicy: noMeaning('[]ContainerResizePolicy', 'Pods are not resized.'),
    securityContext: supported('SecurityContext'),
    stdin: supported('boolean'),
    stdinOnce: supported('boolean'),
    tty: supported('boolean'),
    terminationMessagePath: supported('string', { preset: '/dev/termination-log' }),
    terminationMessagePolicy: supported('string', {
      preset: 'File',
      values: ['File', 'FallbackToLogsOnError'],
    }),
    volumeMounts: supported('[]VolumeMount'),
    volumeDevices: refused('[]VolumeDevice', 'block devices come from persistent volumes, which need a cluster'),
  },
  EnvVar: {
    name: supported('string', { note: 'Printable ASCII without `=`.' }),
    value: supported('string', { note: '`$(VAR)` is expanded from the variables before it.' }),
    valueFrom: supported('EnvVarSource'),
  },
  EnvVarSource: {
    configMapKeyRef: supported('ConfigMapKeySelector'),
    fieldRef: supported('ObjectFieldSelector'),
    fileKeyRef: supported('FileKeySelector', { note: "Of a file of lines `KEY='value'`." }),
    resourceFieldRef: supported('ResourceFieldSelector'),
    secretKeyRef: supported('SecretKeySelector'),
  },
  ConfigMapKeySelector: {
    name: supported('string'),
    key: supported('string'),
    optional: supported('boolean'),
  },
  SecretKeySelector: {
    name: supported('string'),
    key: supported('string'),
    optional: supported('boolean'),
  },
  FileKeySelector: {
    volumeName: supported('string', { note: 'Required, of an emptyDir of the pod.' }),
    path: supported('string', { note: 'Required, relative.' }),
    key: supported('string', { note: 'Required.' }),
    optional: supported('boolean', { preset: false }),
  },
  ObjectFieldSelector: {
    apiVersion: supported('string', { preset: 'v1' }),
    fieldPath: supported('string'),
  },
  ResourceFieldSelector: {
    containerName: supported('string'),
    resource: supported('string'),
    divisor: supported('Quantity'),
  },
  EnvFromSource: {
    prefix: supported('string'),
    configMapRef: supported('ConfigMapEnvSource'),
    secretRef: supported('SecretEnvSource'),
  },
  ConfigMapEnvSource: { name: supported('string'), optional: supported('boolean') },
  SecretEnvSource: { name: supported('string'), optional: supported('boolean') },
  ContainerPort: {
    containerPort: supported('int32', { note: 'Required, 1 to 65535.' }),
    name: supported('string'),
    protocol: supported('string', { preset: 'TCP', values: ['SCTP', 'TCP', 'UDP'] }),
    hostPort: supported('int32', {
      note: "Through the CNI plugin portmap; a port that is taken is refused. On the host's network: the same as `containerPort`.",
    }),
    hostIP: supported('string', { note: 'Missing: all addresses of the host.' }),
  },
  Lifecycle: {
    postStart: supported('LifecycleHandler'),
    preStop: supported('LifecycleHandler'),
    stopSignal: supported('string', { note: "Instead of the image's STOPSIGNAL; needs `spec.os.name`." }),
  },
  LifecycleHandler: {
    exec: supported('ExecAction'),
    httpGet: supported('HTTPGetAction', { note: 'From the host to the pod; any answer is success.' }),
    sleep: supported('SleepAction'),
    tcpSocket: supported('TCPSocketAction', { note: 'Accepted, and the hook fails, as in Kubernetes.' }),
  },
  ExecAction: {
    command: supported('[]string', {
      note: 'Run as it stands, without a shell; in probes literal `$(VAR)` are expanded.',
    }),
  },
  HTTPGetAction: {
    host: supported('string', { note: "Missing: the pod's address." }),
    httpHeaders: supported('[]HTTPHeader'),
    path: supported('string', { preset: '/' }),
    port: supported('IntOrString', { note: "Required; a number or the name of one of the container's ports." }),
    scheme: supported('string', { preset: 'HTTP', values: ['HTTP', 'HTTPS'], note: 'Certificates are not verified.' }),
  },
  HTTPHeader: { name: supported('string'), value: supported('string') },
  TCPSocketAction: { host: supported('string'), port: supported('IntOrString', { note: 'Required.' }) },
  SleepAction: { seconds: supported('int64', { note: '0 to `terminationGracePeriodSeconds`.' }) },
  GRPCAction: { port: supported('int32', { note: 'Required.' }), service: supported('string', { preset: '' }) },
  Probe: {
    exec: supported('ExecAction'),
    grpc: supported('GRPCAction'),
    httpGet: supported('HTTPGetAction', { note: '200 to 399 is success.' }),
    tcpSocket: supported('TCPSocketAction'),
    initialDelaySeconds: supported('int32'),
    timeoutSeconds: supported('int32', { preset: 1, note: '0: 1.' }),
    periodSeconds: supported('int32', { preset: 10, note: '0: 10.' }),
    successThreshold: supported('int32', { preset: 1, note: '1 for liveness and startup.' }),
    failureThreshold: supported('int32', { preset: 3, note: '0: 3.' }),
    terminationGracePeriodSeconds: supported('int64', { note: 'Not for readiness.' }),
  },
  ContainerRestartRule: {
    action: supported('string', { values: ['Restart', 'RestartAllContainers'] }),
    exitCodes: supported('ContainerRestartRuleOnExitCodes', { note: 'Required.' }),
  },
  ContainerRestartRuleOnExitCodes: {
    operator: supported('string', { values: ['In', 'NotIn'] }),
    values: supported('[]int32'),
  },
  ResourceRequirements: {
    limits: supported('map[string]Quantity', {
      note: '`cpu`, `memory`, `ephemeral-storage`, `hugepages-*`. Enforced by the cgroup controllers of the host, which must be there.',
    }),
    requests: supported('map[string]Quantity', {
      note: 'Missing: the limit. `cpu` is the weight; nothing is reserved. Devices and other extended resources are refused.',
    }),
    claims: refused('[]ResourceClaim', 'device claims need an API server and a driver'),
  },
  ResourceClaim: {
    name: refused('string', 'device claims need an API server and a driver'),
    request: refused('string', 'device claims need an API server and a driver'),
  },
  PodResourceClaim: {
    name: refused('string', 'device claims need an API server and a driver'),
    resourceClaimName: refused('string', 'device claims need an API server and a driver'),
    resourceClaimTemplateName: refused('string', 'device claims need an API server and a driver'),
  },
  ContainerResizePolicy: { resourceName: noMeaning('string'), restartPolicy: noMeaning('string') },
} as const satisfies Readonly<Record<string, Rows>>;
