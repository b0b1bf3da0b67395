package simulator_test

import (
	"testing"

	"muster/simulator"
)

// A hundred servers in one answer: the largest that a wave asks for.
func BenchmarkDescribeSourceServers(b *testing.B) {
	f, err := simulator.ParseFleet("bench", []byte(many(100)))
	if err != nil {
		b.Fatal(err)
	}
	w, err := simulator.New(f, simulator.Options{})
	if err != nil {
		b.Fatal(err)
	}
	c := &client{t: new(testing.T), http: w.RoundTripper(), region: manyRegion, key: manyAccount}
	b.ReportAllocs()
	for b.Loop() {
		if r := c.drs("DescribeSourceServers", `{}`); r.status != 200 {
			b.Fatal(r.status)
		}
	}
}

func BenchmarkGetLaunchConfiguration(b *testing.B) {
	f, err := simulator.ParseFleet("bench", []byte(many(100)))
	if err != nil {
		b.Fatal(err)
	}
	w, err := simulator.New(f, simulator.Options{})
	if err != nil {
		b.Fatal(err)
	}
	c := &client{t: new(testing.T), http: w.RoundTripper(), region: manyRegion, key: manyAccount}
	b.ReportAllocs()
	for b.Loop() {
		if r := c.drs("GetLaunchConfiguration", `{"sourceServerID":"`+id(0)+`"}`); r.status != 200 {
			b.Fatal(r.status)
		}
	}
}
