{{- define "tap.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: tap-crossplane
{{- end -}}

{{- /* What namespace and ProviderConfig are called where their values say nothing (tap_api.naming). */ -}}
{{- define "tap.name" -}}
tap-{{ required "environment is not set: dev, staging or prod" .Values.environment }}
{{- end -}}

{{- define "tap.namespace" -}}
{{ .Values.namespace.name | default (include "tap.name" .) }}
{{- end -}}

{{- define "tap.providerConfig" -}}
{{ .Values.providerConfig.name | default (include "tap.name" .) }}
{{- end -}}

{{- /* A reference to a key of a Secret; the provider reads a ProviderConfig's in its own namespace, whatever this says. */ -}}
{{- define "tap.secretRef" -}}
secretRef:
  namespace: {{ include "tap.namespace" .root }}
  name: {{ .secret.name | default .name }}
  key: {{ .secret.key | default .key | quote }}
{{- end -}}

{{- /* Values that contradict one another, or that nothing would act on: refused with what to do. */ -}}
{{- define "tap.judge" -}}
{{- $source := required "credentials.source is not set: Secret, IRSA, PodIdentity or WebIdentity" .Values.credentials.source -}}
{{- $secret := .Values.credentials.secret | default dict -}}
{{- $web := .Values.credentials.webIdentity | default dict -}}
{{- $token := $web.token | default dict -}}
{{- $tokenSecret := (($token.secret | default dict).name) -}}
{{- if and (ne $source "Secret") (or $secret.name $secret.key) -}}
{{- fail (printf "credentials.secret is for source Secret, and the source is %s: leave it out" $source) -}}
{{- end -}}
{{- if eq $source "WebIdentity" -}}
{{- if not $web.roleARN -}}
{{- fail "credentials.webIdentity.roleARN is not set: the role that the token is exchanged for" -}}
{{- end -}}
{{- if not (or $token.path $tokenSecret) -}}
{{- fail "credentials.webIdentity.token is not set: give path, a file in the provider's pods, or secret.name" -}}
{{- end -}}
{{- if and $token.path $tokenSecret -}}
{{- fail "credentials.webIdentity.token has a path and a secret: give one of them" -}}
{{- end -}}
{{- else if or $web.roleARN $web.roleSessionName $token.path $tokenSecret -}}
{{- fail (printf "credentials.webIdentity is for source WebIdentity, and the source is %s: to assume a role, use assumeRoleChain" $source) -}}
{{- end -}}
{{- if and .Values.providerConfig.groups (ne .Values.providerConfig.kind "ClusterProviderConfig") -}}
{{- fail "providerConfig.groups is for a ClusterProviderConfig: a ProviderConfig serves every claim of its namespace" -}}
{{- end -}}
{{- end -}}
