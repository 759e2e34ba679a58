{{/* Short enough for the longest suffix: Kubernetes allows 63 characters, CloudNativePG 50 for a Cluster. */}}
{{- define "kontor.fullname" -}}
{{- $default := contains "kontor" .Release.Name | ternary .Release.Name (printf "%s-kontor" .Release.Name) -}}
{{- .Values.fullnameOverride | default $default | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that never change, by which pods are selected. Call with (list $ COMPONENT); an empty component selects all. */}}
{{- define "kontor.selector" -}}
app.kubernetes.io/name: kontor
app.kubernetes.io/instance: {{ (index . 0).Release.Name | quote }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "kontor.labels" -}}
{{- $root := index . 0 -}}
{{ include "kontor.selector" . }}
app.kubernetes.io/part-of: kontor
app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The host of publicUrl. */}}
{{- define "kontor.publicHost" -}}
{{- get (urlParse .Values.publicUrl) "hostname" -}}
{{- end -}}

{{/* The port at the end of an address. */}}
{{- define "kontor.portOf" -}}
{{- regexFind "[0-9]+$" (. | trimSuffix "/") -}}
{{- end -}}

{{/* The name and key of a secret: (list $ NAME_IN_VALUES). */}}
{{- define "kontor.secretKey" -}}
{{- $root := index . 0 -}}
{{- $ref := get $root.Values.secrets (index . 1) -}}
{{- if and (eq (index . 1) "postgresPassword") $root.Values.postgres.cloudNativePG.enabled -}}
{{- /* The operator makes this Secret for the database's owner. Pods that refer to it wait until it is there. */ -}}
name: {{ include "kontor.fullname" $root }}-postgres-app
key: password
{{- else -}}
name: {{ $ref.name | default $root.Values.secrets.name | quote }}
key: {{ $ref.key | quote }}
{{- end -}}
{{- end -}}

{{/*
A URL of the database: (list $ ROLE). The container expands $(DATABASE_PASSWORD). A file with the whole URL would hide it from
/proc/PID/environ too, but the operator would have to compose the URL, and keep it right, once more.
*/}}
{{- define "kontor.databaseUrl" -}}
{{- $postgres := (index . 0).Values.postgres -}}
{{- $host := printf "%s:%d" $postgres.host (int $postgres.port) -}}
{{- if $postgres.cloudNativePG.enabled -}}
{{- $host = printf "%s-postgres-rw:5432" (include "kontor.fullname" (index . 0)) -}}
{{- end -}}
postgres://{{ index . 1 }}:$(DATABASE_PASSWORD)@{{ $host }}/{{ $postgres.database }}?sslmode={{ $postgres.sslMode }}
{{- if $postgres.ca.name }}&sslrootcert=/run/secrets/kontor/postgres-ca.crt{{ end }}
{{- end -}}

{{/*
The services, which all templates range over:
  port, address   what it listens on, and the variable that names this address, in itself and in its callers
  calls           the services that it calls
  role            its database role, if it has one
  secretEnv       variables that are expanded in `env`: their names in `secrets`
  secretFiles     settings that are read from files: their names in `secrets`
  env             its settings
  values          its part of the values
*/}}
{{- define "kontor.services" -}}
{{- $sandbox := not .Values.paymentProvider.address -}}
auth:
  port: 7101
  address: KONTOR_AUTH_ADDR
  calls: []
  role: kontor_auth
  secretEnv:
    CATALOG_SERVICE_KEY: catalogServiceKey
    DATABASE_PASSWORD: authDatabasePassword
    ORDER_SERVICE_KEY: orderServiceKey
  secretFiles:
    KONTOR_ADMIN_PASSWORD: adminPassword
    KONTOR_AUTH_KEK: authKek
    {{- if .Values.mail.from }}
    KONTOR_SMTP_URL: smtpUrl
    {{- end }}
  env:
    KONTOR_ADMIN_EMAIL: {{ .Values.auth.adminEmail | quote }}
    KONTOR_ISSUER: {{ .Values.publicUrl | quote }}
    KONTOR_KEY_ROTATION_DAYS: {{ int .Values.auth.keyRotationDays | quote }}
    KONTOR_SERVICE_KEYS: $(CATALOG_SERVICE_KEY),$(ORDER_SERVICE_KEY)
    KONTOR_TRUSTED_PROXIES: {{ join "," .Values.auth.trustedProxies | quote }}
    {{- with .Values.mail.from }}
    KONTOR_MAIL_FROM: {{ . | quote }}
    {{- end }}
    {{- with .Values.mail.linkOrigin }}
    KONTOR_LINK_ORIGIN: {{ . | quote }}
    {{- end }}
    {{- if .Values.auth.devMailbox }}
    KONTOR_DEV_MAILBOX: "true"
    {{- end }}
  values: {{ toJson .Values.auth }}
catalog:
  port: 7102
  address: KONTOR_CATALOG_ADDR
  calls: [auth]
  role: kontor_catalog
  secretEnv:
    DATABASE_PASSWORD: catalogDatabasePassword
  secretFiles:
    KONTOR_SERVICE_KEY: catalogServiceKey
  env:
    KONTOR_HOLD_SECONDS: {{ int .Values.catalog.holdSeconds | quote }}
    KONTOR_ISSUER: {{ .Values.publicUrl | quote }}
  values: {{ toJson .Values.catalog }}
order:
  port: 7103
  address: KONTOR_ORDER_ADDR
  calls: [auth, catalog{{ if $sandbox }}, sandbox-psp{{ end }}]
  role: kontor_order
  secretEnv:
    DATABASE_PASSWORD: orderDatabasePassword
  secretFiles:
    KONTOR_SERVICE_KEY: orderServiceKey
  env:
    KONTOR_ISSUER: {{ .Values.publicUrl | quote }}
    KONTOR_LEASE_SECONDS: {{ int .Values.order.leaseSeconds | quote }}
    KONTOR_ORDER_SECONDS: {{ int .Values.order.orderSeconds | quote }}
    {{- with .Values.paymentProvider.address }}
    KONTOR_PSP_ADDR: {{ . | quote }}
    {{- end }}
  values: {{ toJson .Values.order }}
edge:
  port: 8080
  address: KONTOR_EDGE_ADDR
  calls: [auth, catalog, order]
  {{- if .Values.auth.devMailbox }}
  env:
    KONTOR_DEV_MAILBOX_ADDR: {{ include "kontor.fullname" . }}-auth:9464
  {{- end }}
  values: {{ toJson .Values.edge }}
{{- if $sandbox }}
sandbox-psp:
  port: 7104
  address: KONTOR_PSP_ADDR
  calls: [auth]
  env:
    KONTOR_ISSUER: {{ .Values.publicUrl | quote }}
    KONTOR_PSP_JOURNAL: /var/lib/kontor/sandbox-psp.journal
  values: {{ toJson (merge (dict "replicas" 1) .Values.sandboxPsp) }}
{{- end }}
{{- end -}}

{{/*
The connections to Postgres that all services may open at once, with the pod that an upgrade adds to each and the one connection
more that a pod of auth opens, and 20 to spare: for the migration, the operator, and you.
*/}}
{{- define "kontor.maxConnections" -}}
{{- $sum := 20 -}}
{{- range $name := list "auth" "catalog" "order" -}}
{{- $values := get $.Values $name -}}
{{- $pods := $.Values.autoscaling.enabled | ternary (max $values.replicas $values.maxReplicas) $values.replicas -}}
{{- $sum = add $sum (mul (add $pods 1) (add $values.databaseConnections (eq $name "auth" | ternary 1 0))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/*
Variables of a service: (list $ NAME SERVICES). Settings stand here and not in a ConfigMap, so every change of one changes the pod
template and rolls the pods: no checksum is needed.
*/}}
{{- define "kontor.env" -}}
{{- $root := index . 0 -}}
{{- $services := index . 2 -}}
{{- $service := get $services (index . 1) -}}
{{- $env := dict
  "KONTOR_LOG_FORMAT" $root.Values.telemetry.logFormat
  "KONTOR_METRICS_ADDR" (printf "%s:9464" $root.Values.listenHost)
  "RUST_LOG" $root.Values.telemetry.logLevel
  $service.address (printf "%s:%d" $root.Values.listenHost (int $service.port)) -}}
{{- range $service.calls -}}
{{- $callee := get $services . -}}
{{- $_ := set $env $callee.address (printf "%s-%s:%d" (include "kontor.fullname" $root) . (int $callee.port)) -}}
{{- end -}}
{{- with $service.role -}}
{{- $_ := set $env "KONTOR_DATABASE_CONNECTIONS" (int $service.values.databaseConnections) -}}
{{- $_ := set $env "KONTOR_DATABASE_URL" (include "kontor.databaseUrl" (list $root .)) -}}
{{- end -}}
{{- with $root.Values.telemetry.otlpEndpoint -}}
{{- $_ := set $env "OTEL_EXPORTER_OTLP_ENDPOINT" . -}}
{{- $_ := set $env "OTEL_EXPORTER_OTLP_PROTOCOL" $root.Values.telemetry.otlpProtocol -}}
{{- $_ := set $env "OTEL_RESOURCE_ATTRIBUTES" (printf "k8s.namespace.name=%s,k8s.pod.name=$(POD_NAME)" $root.Release.Namespace) -}}
{{- $_ := set $env "OTEL_TRACES_SAMPLER" $root.Values.telemetry.tracesSampler -}}
{{- $_ := set $env "OTEL_TRACES_SAMPLER_ARG" $root.Values.telemetry.tracesSamplerArg -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{ end -}}
{{- $env = merge $env ($service.env | default dict) -}}
{{- include "kontor.settings" (list $root ($service.secretEnv | default dict) $env ($service.secretFiles | default dict)) }}
{{- with $service.values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (list $ SECRET_ENV ENV SECRET_FILES) as a container's env. Secrets come first: only earlier variables are expanded. */}}
{{- define "kontor.settings" -}}
{{- $root := index . 0 -}}
{{- range $name, $secret := index . 1 }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {{ include "kontor.secretKey" (list $root $secret) | fromYaml | toJson }}
{{- end }}
{{- range $name, $value := index . 2 }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range $name, $_ := index . 3 }}
- name: {{ $name }}_FILE
  value: /run/secrets/kontor/{{ $name }}
{{- end }}
{{- end -}}

{{/* The volume for secretFiles, with the database's authority if ROLE is set: (list $ SECRET_FILES ROLE). May be empty. */}}
{{- define "kontor.secretVolume" -}}
{{- $root := index . 0 -}}
{{- $ca := and (index . 2) $root.Values.postgres.ca.name -}}
{{- if or (index . 1) $ca -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $secret := index . 1 }}
      {{- $ref := include "kontor.secretKey" (list $root $secret) | fromYaml }}
      - secret:
          name: {{ $ref.name | quote }}
          items: [{key: {{ $ref.key | quote }}, path: {{ $name }}}]
      {{- end }}
      {{- if $ca }}
      - secret:
          name: {{ $root.Values.postgres.ca.name | quote }}
          items: [{key: {{ $root.Values.postgres.ca.key | quote }}, path: postgres-ca.crt}]
      {{- end }}
{{- end -}}
{{- end -}}

{{/* What all pods have in common. */}}
{{- define "kontor.pod" -}}
automountServiceAccountToken: false
# Kubernetes would add variables such as KONTOR_AUTH_PORT for its Services, which look like settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* What all containers have in common: (list $ IMAGE). */}}
{{- define "kontor.container" -}}
{{- $image := (index . 0).Values.image -}}
{{- $name := printf "%s/%s:%s" $image.repository (index . 1) ($image.tag | default (index . 0).Chart.AppVersion) -}}
{{- with get $image.digests (index . 1) }}{{ $name = printf "%s@%s" $name . }}{{ end -}}
image: {{ $name | quote }}
imagePullPolicy: {{ $image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* A rule of a NetworkPolicy: (list PORT KEY PEERS), with `from` or `to` as KEY. Without peers it holds for any peer. */}}
{{- define "kontor.rule" -}}
{{- $rule := dict "ports" (list (dict "port" (int (index . 0)) "protocol" "TCP")) -}}
{{- with index . 2 }}{{ $_ := set $rule (index $ 1) . }}{{ end -}}
{{- toJson $rule -}}
{{- end -}}

{{/* The pods of a component, as a peer in a NetworkPolicy: (list $ COMPONENT). */}}
{{- define "kontor.peer" -}}
{{- dict "podSelector" (dict "matchLabels" (include "kontor.selector" . | fromYaml)) | toJson -}}
{{- end -}}
