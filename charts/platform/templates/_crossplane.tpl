{{- /*
Refuses to install on a Crossplane that would not carry it. `helm template` and `--dry-run=client` ask no cluster, so
there is nothing to look at; kube-system tells that from a cluster without Crossplane.
*/ -}}
{{- define "tap.crossplane" -}}
{{- $where := .Values.crossplane -}}
{{- if and $where.check (lookup "v1" "Namespace" "" "kube-system") -}}
{{- $found := lookup "apps/v1" "Deployment" $where.namespace $where.deployment -}}
{{- if not $found -}}
{{- fail (printf "Crossplane is not there: no Deployment %s in namespace %s. Install it, or say where it is (crossplane.namespace, crossplane.deployment); where it is no Deployment, crossplane.check=false leaves this out" $where.deployment $where.namespace) -}}
{{- end -}}
{{- $container := first $found.spec.template.spec.containers -}}
{{- $tag := regexFind ":v?[0-9]+[.][0-9]+[.][0-9]+[^@]*" $container.image | trimPrefix ":" -}}
{{- $version := $tag | default (dig "labels" "app.kubernetes.io/version" "" $found.metadata) -}}
{{- if not $version -}}
{{- fail (printf "which version Crossplane is cannot be told: image %s of Deployment %s names none. It has to be 2.4.0 or later; crossplane.check=false leaves this out" $container.image $where.deployment) -}}
{{- end -}}
{{- if not (semverCompare ">=2.4.0-0" $version) -}}
{{- fail (printf "Crossplane %s is too old: up to 2.3.4 its garbage collection deletes what it does not control (GHSA-77cv-mrm6-fr3c). Upgrade it to 2.4.0 or later" $version) -}}
{{- end -}}
{{- $args := join " " ($container.args | default list) -}}
{{- range $flag, $least := dict "circuit-breaker-burst" 2000 "circuit-breaker-refill-rate" 50 -}}
{{- $given := regexFind (printf "--%s[= ][0-9]+" $flag) $args | trimPrefix (printf "--%s" $flag) -}}
{{- if lt (int (trim (replace "=" "" $given))) $least -}}
{{- fail (printf "Crossplane's circuit breaker opens while one region is created, which then waits for minutes: --%s has to be %d or more. Run helm upgrade RELEASE crossplane-stable/crossplane --namespace %s --reuse-values --set 'args={--circuit-breaker-burst=2000,--circuit-breaker-refill-rate=50}', with the args that it has already" $flag $least $where.namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
