{{- define "model-canary.name" -}}{{ .Chart.Name }}{{- end }}

{{- define "model-canary.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end }}

{{- define "model-canary.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ .Values.serviceAccount.name | default (include "model-canary.fullname" .) }}
{{- else -}}{{ .Values.serviceAccount.name | default "default" }}{{- end -}}
{{- end }}

{{/* Of one component: dict "root" $ "component" "router" */}}
{{- define "model-canary.selector" -}}
app.kubernetes.io/name: {{ include "model-canary.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "model-canary.labels" -}}
{{ include "model-canary.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: model-canary
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "model-canary.image" -}}
{{ printf "%s/%s:%s" .root.Values.image.repository .component (.root.Values.image.tag | default .root.Chart.AppVersion) }}
{{- end }}

{{/* Variables for Kafka, and those of everybody. */}}
{{- define "model-canary.commonEnv" -}}
{{- $kafka := .root.Values.kafka }}
- { name: INSTANCE, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
- { name: KAFKA_BROKERS, value: {{ required "kafka.brokers is required: host:port, comma-separated" $kafka.brokers | quote }} }
{{- if $kafka.topicPrefix }}
- { name: TOPIC_PREFIX, value: {{ $kafka.topicPrefix | quote }} }
{{- end }}
{{- if $kafka.tls.enabled }}
- { name: KAFKA_SSL, value: 'true' }
{{- if $kafka.tls.caSecret }}
- { name: KAFKA_SSL_CA_FILE, value: {{ printf "/etc/model-canary/kafka-ca/%s" $kafka.tls.caKey }} }
{{- end }}
{{- if $kafka.tls.clientSecret }}
- { name: KAFKA_SSL_CERT_FILE, value: /etc/model-canary/kafka-client/tls.crt }
- { name: KAFKA_SSL_KEY_FILE, value: /etc/model-canary/kafka-client/tls.key }
{{- end }}
{{- end }}
{{- if $kafka.sasl.mechanism }}
{{- $secret := .values.kafkaSecret | default $kafka.sasl.secret | required "kafka.sasl.secret is required with kafka.sasl.mechanism" }}
- { name: KAFKA_SASL_MECHANISM, value: {{ $kafka.sasl.mechanism }} }
- { name: KAFKA_SASL_USERNAME, valueFrom: { secretKeyRef: { name: {{ $secret }}, key: username } } }
- { name: KAFKA_SASL_PASSWORD_FILE, value: /etc/model-canary/kafka-user/password }
{{- end }}
{{- range $name, $value := merge (deepCopy (.values.env | default dict)) .root.Values.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{- define "model-canary.kafkaMounts" -}}
{{- $kafka := .root.Values.kafka }}
{{- if and $kafka.tls.enabled $kafka.tls.caSecret }}
- { name: kafka-ca, mountPath: /etc/model-canary/kafka-ca, readOnly: true }
{{- end }}
{{- if and $kafka.tls.enabled $kafka.tls.clientSecret }}
- { name: kafka-client, mountPath: /etc/model-canary/kafka-client, readOnly: true }
{{- end }}
{{- if $kafka.sasl.mechanism }}
- { name: kafka-user, mountPath: /etc/model-canary/kafka-user, readOnly: true }
{{- end }}
{{- end }}

{{- define "model-canary.kafkaVolumes" -}}
{{- $kafka := .root.Values.kafka }}
{{- if and $kafka.tls.enabled $kafka.tls.caSecret }}
- { name: kafka-ca, secret: { secretName: {{ $kafka.tls.caSecret }} } }
{{- end }}
{{- if and $kafka.tls.enabled $kafka.tls.clientSecret }}
- { name: kafka-client, secret: { secretName: {{ $kafka.tls.clientSecret }} } }
{{- end }}
{{- if $kafka.sasl.mechanism }}
- { name: kafka-user, secret: { secretName: {{ .values.kafkaSecret | default $kafka.sasl.secret }} } }
{{- end }}
{{- end }}

{{/* Liveness does not fail because Kafka is away: a restart would make an outage worse. */}}
{{- define "model-canary.probes" -}}
startupProbe: { httpGet: { path: /health/live, port: http }, periodSeconds: 1, failureThreshold: 60 }
livenessProbe: { httpGet: { path: /health/live, port: http }, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 }
readinessProbe: { httpGet: { path: /health/ready, port: http }, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 }
{{- end }}

{{/* What a pod of any component has: dict "root" $ "component" "router" "values" .Values.router */}}
{{- define "model-canary.podBasics" -}}
serviceAccountName: {{ include "model-canary.serviceAccount" .root }}
automountServiceAccountToken: false
# More than the 10 s that a service takes at most to drain, flush and commit.
terminationGracePeriodSeconds: 20
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext: {{ toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if .values.topologySpreadConstraints }}
{{ toYaml .values.topologySpreadConstraints | indent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: { matchLabels: {{ include "model-canary.selector" . | nindent 8 }} }
{{- end }}
{{- end }}
