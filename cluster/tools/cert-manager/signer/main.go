// The controllers of cert-manager that sign by a CA, and its CA injector, in one process: what cmd/controller and
// cmd/cainjector of its repository run. Those are Go modules of their own that no module proxy has; the controllers
// themselves are in the module that it has.
package main

import (
	"context"
	"flag"
	"log"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

func main() {
	kubeconfig := flag.String("config", "", "kubeconfig of the cluster")
	flag.Parse()
	ctrl.SetLogger(klog.Background())
	// With cert-manager's own defaults.
	all, ctx := errgroup.WithContext(ctrl.SetupSignalHandler())
	factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		Kubeconfig: *kubeconfig,
		CertificateOptions: controller.CertificateOptions{
			CertificateRequestMinimumBackoffDuration: time.Hour,
			CertificateRequestMaximumBackoffDuration: 32 * time.Hour,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	all.Go(func() error { return sign(ctx, factory) })
	all.Go(func() error { return inject(ctx, factory) })
	if err := all.Wait(); err != nil {
		log.Fatal(err)
	}
}

// sign runs the controllers that the imports above register.
func sign(ctx context.Context, factory *controller.ContextFactory) error {
	common, err := factory.Build()
	if err != nil {
		return err
	}
	all, ctx := errgroup.WithContext(ctx)
	for name, construct := range controller.Known() {
		one, err := construct(factory)
		if err != nil {
			return err
		}
		log.Printf("running %s", name)
		all.Go(func() error { return one.Run(1, ctx) })
	}
	common.SharedInformerFactory.Start(ctx.Done())
	common.KubeSharedInformerFactory.Start(ctx.Done())
	return all.Wait()
}

// inject runs the CA injector for webhooks that judge.
func inject(ctx context.Context, factory *controller.ContextFactory) error {
	// Its name becomes the field manager of what it applies.
	own, err := factory.Build("cainjector")
	if err != nil {
		return err
	}
	options := ctrl.Options{Scheme: own.Scheme, Metrics: server.Options{BindAddress: "0"}}
	manager, err := ctrl.NewManager(own.RESTConfig, options)
	if err != nil {
		return err
	}
	err = cainjector.RegisterAllInjectors(ctx, manager, cainjector.SetupOptions{
		EnableCertificatesDataSource: true,
		EnabledReconcilersFor:        map[string]bool{cainjector.ValidatingWebhookConfigurationName: true},
	})
	if err != nil {
		return err
	}
	return manager.Start(ctx)
}
