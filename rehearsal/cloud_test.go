//go:build rehearsal

package rehearsal_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"muster/cloudformation"
	"muster/simulator"
)

const (
	account = simulator.CallersAccount // the hub's
	region  = "us-west-2"
	// speed is how much faster than AWS the simulated one launches, and waits of
	// the state machine pass.
	speed = 120
)

// cloud is the hub as a stack made it, and what stands around it.
type cloud struct {
	stack    *cloudformation.Stack
	bucket   bucket
	world    *simulator.World
	table    *table
	function *function
	lambda   *lambda
	machine  *machine
	people   *people
	bell     bell
}

// deployed deploys the hub: it packages and makes the template, and starts
// what is in it.
func deployed(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{bucket: bucket{t.TempDir()}}
	template, err := cloudformation.Parse(c.bucket.pack(t, "../bin/stack/hub.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// No two rehearsals share a table.
	at := cloudformation.Place{Stack: "rehearsal-" + strings.ToLower(rand.Text()[:6]), Account: account, Region: region, Partition: "aws", Suffix: "amazonaws.com"}
	if c.stack, err = template.Make(at, map[string]string{"LogLevel": "debug"}); err != nil {
		t.Fatal(err)
	}
	fleet, err := simulator.LoadFleet("../examples/fleets/web-shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c.world, err = simulator.New(fleet, simulator.Options{Speed: speed}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.world.Close() })
	c.table = makeTable(t, c.stack)
	c.people = openTopic(t, c)
	c.machine = makeMachine(t, c)
	aws := httptest.NewServer(c.world)
	t.Cleanup(aws.Close)
	c.function = startFunction(t, c, bootstrap(t, c), map[string]string{
		"AWS_ENDPOINT_URL":          aws.URL,
		"AWS_ENDPOINT_URL_DYNAMODB": c.table.endpoint,
		"AWS_ENDPOINT_URL_SFN":      c.machine.endpoint,
		"AWS_ENDPOINT_URL_SNS":      c.people.endpoint,
	})
	c.lambda = serveInvoke(t, c)
	c.follow(t)
	t.Cleanup(c.machine.close)
	return c
}

// property is a property of a resource of the stack, with its functions filled
// in.
func (c *cloud) property(resource, name string) any {
	return c.stack.Resources[resource].Properties[name]
}

// bootstrap is the program of the function: that of the packaged archive where
// this machine is what the template asks for, else the same source's for this
// machine.
func bootstrap(t *testing.T, c *cloud) (file string) {
	t.Helper()
	archive := c.bucket.get(t, "AWS::Lambda::Function", c.property("Function", "Code"))
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 1 || r.File[0].Name != c.property("Function", "Handler") || r.File[0].Mode()&0o111 == 0 {
		t.Fatalf("the packaged archive holds %v, want one program, %v", r.File, c.property("Function", "Handler"))
	}
	in, err := r.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	program, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	asked := c.property("Function", "Architectures").([]any)[0].(string)
	if built, err := os.ReadFile("../bin/lambda/" + asked + "/bootstrap"); err != nil || !bytes.Equal(built, program) {
		t.Fatalf("the packaged archive does not hold what make lambda built for %s (%v)", asked, err)
	}
	if asked != runtime.GOARCH {
		file, err := filepath.Abs("../bin/lambda/" + runtime.GOARCH + "/bootstrap")
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	file = filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(file, program, 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}
