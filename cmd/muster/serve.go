package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/pflag"
)

// serverFlags say where a command listens.
type serverFlags struct {
	listen   string
	anywhere bool
}

func (s *serverFlags) add(flags *pflag.FlagSet, address string) {
	flags.StringVar(&s.listen, "listen", address, "listen at this loopback `ADDRESS`; port 0 picks a free one")
	flags.BoolVar(&s.anywhere, "listen-anywhere", false, "allow an address that other machines can reach; nothing is protected by a password")
}

// open listens, at a loopback address unless others were asked for.
func (s *serverFlags) open() (net.Listener, error) {
	host, _, err := net.SplitHostPort(s.listen)
	if err != nil {
		return nil, usage("Give a host and a port, e.g. --listen 127.0.0.1:4599", "--listen: %w", err)
	}
	if !s.anywhere && !loopback(host) {
		return nil, usage("Use 127.0.0.1, or say --listen-anywhere if that is what you want",
			"--listen: other machines could reach %s, and nothing is protected by a password", s.listen)
	}
	l, err := net.Listen("tcp", s.listen)
	if err != nil {
		return nil, usage("Is one running there already? Port 0 picks a free one, e.g. --listen 127.0.0.1:0", "--listen: %w", err)
	}
	return l, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// grace is how long requests under way may go on after an interrupt.
const grace = 10 * time.Second

// limits are how long a client may take, and how many there may be at once.
// How long an answer takes is for whoever makes it.
type limits struct {
	header      time.Duration // to send a request's head
	request     time.Duration // to send all of it
	answer      time.Duration // to take the answer
	idle        time.Duration // between two requests
	connections int
}

var usualLimits = limits{header: 10 * time.Second, request: 30 * time.Second, answer: time.Minute, idle: 2 * time.Minute, connections: 256}

// mostHeader is the most bytes of a request's head. AWS's clients send a
// thousand or two, a session token among them.
const mostHeader = 64 << 10

// serve answers requests until the context ends, and lets those under way
// finish. Below the path anyType requests may come with any content type.
func (m *Main) serve(ctx context.Context, s *serverFlags, l net.Listener, h http.Handler, anyType string) error {
	most := m.limits
	if most == (limits{}) {
		most = usualLimits
	}
	visitors := &visitors{most: most.connections}
	server := &http.Server{
		Handler:           &door{inside: h, hosts: hostsOf(s.listen, l.Addr()), anyType: anyType, visitors: visitors, answer: most.answer, large: make(chan struct{}, mostLarge)},
		ReadHeaderTimeout: most.header,
		ReadTimeout:       most.request,
		IdleTimeout:       most.idle,
		MaxHeaderBytes:    mostHeader,
	}
	visitors.attend(server)
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		visitors.leave()
		stopped <- server.Shutdown(last)
	})
	err := server.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if err := <-stopped; err != nil {
		server.Close()
		return fmt.Errorf("requests were under way %s after the interrupt, and are cut off", grace)
	}
	return nil
}
