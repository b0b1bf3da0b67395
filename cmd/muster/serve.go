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

// serve answers requests until the context ends, and lets those under way
// finish.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
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
