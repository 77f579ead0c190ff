{{- /* The labels of every object, and the smaller set that selects pods. */ -}}
{{- define "tap.labels" -}}
{{ include "tap.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: tap-crossplane
{{- end -}}

{{- define "tap.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* Users, as CEL has them. */ -}}
{{- define "tap.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:tap-operator
{{- end -}}

{{- define "tap.breakGlass" -}}
has(request.userInfo.groups) && '{{ .Values.breakGlassGroup }}' in request.userInfo.groups
{{- end -}}

{{- define "tap.isOperator" -}}
request.userInfo.username == '{{ include "tap.operatorUser" . }}'
{{- end -}}

{{- define "tap.isCrossplane" -}}
request.userInfo.username in ['{{ join "', '" .Values.crossplane.users }}']
{{- end -}}

{{- define "tap.isController" -}}
request.userInfo.username in ['{{ join "', '" .Values.controllers.users }}']
{{- end -}}

{{- /* Collects what lost its owner. Nothing of a protected tap's own makes it collect that one. */ -}}
{{- define "tap.isCollector" -}}
request.userInfo.username == 'system:serviceaccount:kube-system:generic-garbage-collector'
{{- end -}}

{{- /* The references of an object to EnvironmentTaps as its owners, as a list. */ -}}
{{- define "tap.references" -}}
{{ . }}.metadata.?ownerReferences.orValue([]).filter(o, o.kind == 'EnvironmentTap' && o.apiVersion.startsWith('tap.platform/'))
{{- end -}}

{{- /* The controlling EnvironmentTap of an object, as a list of none or one. */ -}}
{{- define "tap.owners" -}}
{{ . }}.metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false) && o.kind == 'EnvironmentTap' && o.apiVersion.startsWith('tap.platform/'))
{{- end -}}
