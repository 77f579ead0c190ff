module tap.platform/tools/provider-aws

go 1.26.0

require github.com/upbound/provider-aws/v2 v2.5.0 // indirect
