{{- define "tap.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: tap-crossplane
{{- end -}}

{{- /* To delete a package is to delete its kinds, with all that is of them: helm never does. */ -}}
{{- define "tap.kept" -}}
helm.sh/resource-policy: keep
{{- end -}}

{{- define "tap.package" -}}
{{- $registry := required "registry is not set: where `make publish REGISTRY=…` pushed the packages" .root.Values.registry -}}
{{- printf "%s/%s:%s" $registry .name (.root.Values.version | default (printf "v%s" .root.Chart.AppVersion)) -}}
{{- end -}}

{{- define "tap.pullSecrets" -}}
{{- with .Values.pullSecrets }}
packagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Whether the providers run as an account that somebody chose. */ -}}
{{- define "tap.providerAccount" -}}
{{- $account := .Values.providers.serviceAccount | default dict -}}
{{- if or $account.name $account.annotations }}yes{{ end -}}
{{- end -}}
