package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// mostBody is the most bytes that a request's body may have: Lambda's limit of
// one payload, and more than AWS takes of what the simulator serves.
const mostBody = mostPayload

// A body of more than largeBody bytes, or of a length that nobody told, is
// large, and mostLarge of those are read at the same time: what all clients
// together can fill with bodies that come slowly is bounded.
const (
	largeBody = 256 << 10
	mostLarge = 8
)

// door stands before everything that is served. A browser on this machine
// reaches loopback as well as we do, and sends what any web page tells it to; so
// nothing comes in that a page could have sent.
type door struct {
	inside   http.Handler
	hosts    hosts
	anyType  string // what is below this path may come with any content type; "": nothing
	visitors *visitors
	answer   time.Duration // for a client to take its answer
	large    chan struct{} // holds one for each large body that is being read
}

// ServeHTTP lets a request in, whole: its body is in memory then. What comes
// in may be worked on for as long as that takes.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	within := http.NewResponseController(w)
	_ = within.SetWriteDeadline(time.Now().Add(d.answer)) // of a refusal
	if status, kind, why := d.refusal(r); status != 0 {
		w.Header().Set("Connection", "close")
		apiError(w, status, kind, why)
		return
	}
	if r.ContentLength > mostBody {
		w.Header().Set("Connection", "close")
		tooLarge(w, mostBody)
		return
	}
	body, err := d.read(w, r)
	if errors.Is(err, errCrowded) {
		w.Header().Set("Connection", "close")
		apiError(w, http.StatusTooManyRequests, "TooManyRequestsException", fmt.Sprintf("%d large requests are being read: try again in a moment", mostLarge))
		return
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		tooLarge(w, mostBody)
		return
	}
	if err != nil {
		w.Header().Set("Connection", "close")
		apiError(w, http.StatusRequestTimeout, "InvalidRequestContentException", "the request's body did not arrive whole, or not in time")
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	d.visitors.received(r.Context())
	_ = within.SetWriteDeadline(time.Time{})
	d.inside.ServeHTTP(&answering{ResponseWriter: w, first: func() { _ = within.SetWriteDeadline(time.Now().Add(d.answer)) }}, r)
}

var errCrowded = errors.New("too many large bodies are being read")

// read reads the whole body. errCrowded: it is large, as many others are.
func (d *door) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > largeBody {
		select {
		case d.large <- struct{}{}:
			defer func() { <-d.large }()
		default:
			return nil, errCrowded
		}
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
}

// refusal says why a request is not let in; status 0: it is.
func (d *door) refusal(r *http.Request) (status int, kind, why string) {
	if !d.hosts.allow(r.Host) {
		return http.StatusForbidden, "HostNotAllowedException", fmt.Sprintf("this is served at %s, and the request's Host is another: a web page may have led here", d.hosts)
	}
	if _, page := r.Header["Origin"]; page || r.Header.Get("Sec-Fetch-Site") != "" && !fromNowhere[r.Header.Get("Sec-Fetch-Site")] {
		return http.StatusForbidden, "OriginNotAllowedException", "this is not for web pages: a request with an Origin, or from another site, is not answered"
	}
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		return http.StatusBadRequest, "InvalidParameterValueException", "the query cannot be read: its parameters stand between &, and a ; in one is written %3B"
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead || d.anyType != "" && strings.HasPrefix(r.URL.Path, d.anyType) {
		return 0, "", ""
	}
	if !signed(r) && !typed(r) {
		return http.StatusUnsupportedMediaType, "UnsupportedMediaTypeException", "the Content-Type must be application/json, unless the request is signed as AWS's clients sign theirs (Authorization: AWS4-HMAC-SHA256 …)"
	}
	return 0, "", ""
}

// fromNowhere are the values of Sec-Fetch-Site of what a person typed, and of
// our own pages, of which there are none.
var fromNowhere = map[string]bool{"none": true, "same-origin": true}

// signed says whether a request has an AWS signature. It is not checked; but a
// page cannot have one sent without asking first, and is never told yes.
func signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
}

// typed says whether the content type is one that a page cannot have sent
// without asking first. aws-sdk-go-v2 sends payloads as octets.
func typed(r *http.Request) bool {
	if len(r.Header["Content-Type"]) != 1 {
		return false
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || kind == "application/octet-stream")
}

// hosts are what a request may call the server: the address that is served. A
// page of a name that was made to lead here says that name.
type hosts struct {
	named     string // by --listen
	listening netip.AddrPort
}

func hostsOf(listen string, l net.Addr) hosts {
	named, _, _ := net.SplitHostPort(listen)
	at, _ := netip.ParseAddrPort(l.String())
	return hosts{named, netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())}
}

func (h hosts) allow(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil { // no port is HTTP's own
		name, port = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "80"
	}
	if port != fmt.Sprint(h.listening.Port()) {
		return false
	}
	if strings.EqualFold(name, "localhost") || h.named != "" && strings.EqualFold(name, h.named) {
		return true
	}
	// An address is never led elsewhere: where all are listened at, each is ours.
	ip, err := netip.ParseAddr(name)
	ip = ip.Unmap()
	return err == nil && (ip.IsLoopback() || ip == h.listening.Addr() || h.listening.Addr().IsUnspecified())
}

// String says what is allowed, for a message.
func (h hosts) String() string {
	port := fmt.Sprint(h.listening.Port())
	all := []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port), "localhost:" + port}
	if h.named != "" && !loopback(h.named) {
		all = append(all, net.JoinHostPort(h.named, port))
	}
	if h.listening.Addr().IsUnspecified() {
		all = append(all, "any IP address of this machine with this port")
	}
	return strings.Join(all, ", ")
}

// answering calls first before the answer begins.
type answering struct {
	http.ResponseWriter
	first func()
}

func (a *answering) begin() {
	if a.first != nil {
		a.first()
		a.first = nil
	}
}

// WriteHeader implements http.ResponseWriter.
func (a *answering) WriteHeader(status int) {
	a.begin()
	a.ResponseWriter.WriteHeader(status)
}

func (a *answering) Write(b []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }
