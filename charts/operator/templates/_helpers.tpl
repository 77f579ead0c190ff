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

{{- /* Where our pods listen, by the names of their ports. */ -}}
{{- define "tap.ports" -}}
{health: 8081, https: 9443, metrics: 8082}
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

{{- /* Who signs the webhook's certificate: the chart, cert-manager, or nobody whom this chart knows. */ -}}
{{- define "tap.certificates" -}}
{{- $asked := .Values.admission.certificates -}}
{{- if and .Values.deployments.enabled (not .Values.admission.caBundle) -}}
{{- if ne $asked "auto" -}}
{{- $asked -}}
{{- else -}}
{{- /* What the chart began it goes on with: to change hands is to refuse claims for a minute. */ -}}
{{- $there := lookup "v1" "Secret" .Release.Namespace .Values.admission.certificateSecret | default dict -}}
{{- $own := eq (dig "metadata" "labels" "app.kubernetes.io/instance" "" $there) .Release.Name -}}
{{- $served := .Capabilities.APIVersions.Has "cert-manager.io/v1/Certificate" -}}
{{- ternary "cert-manager" "chart" (and $served (not $own)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tap.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* The rest of a pod that asks one question of our image, and ends. */ -}}
{{- define "tap.asked" -}}
automountServiceAccountToken: true
{{- include "tap.pullSecrets" .root }}
securityContext:
  {{- include "tap.podSecurity" . | nindent 2 }}
containers:
  - name: {{ .name }}
    image: {{ include "tap.image" .root }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args:
      {{- range .args }}
      - {{ . | quote }}
      {{- end }}
      - --log-format={{ .root.Values.logFormat }}
    resources:
      {{- toYaml .root.Values.operator.resources | nindent 6 }}
    securityContext:
      {{- include "tap.containerSecurity" . | nindent 6 }}
{{- end -}}

{{- /* What every pod of ours is and runs: as the restricted standard of Kubernetes asks for. */ -}}
{{- define "tap.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "tap.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "tap.image" -}}
{{- $tagged := printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{ .Values.image.digest | empty | ternary $tagged (printf "%s@%s" $tagged .Values.image.digest) | quote }}
{{- end -}}
