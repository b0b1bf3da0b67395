package awsdrs_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"muster/recovery"
	"muster/simulator"
)

func TestServersByTag(t *testing.T) {
	for name, tt := range map[string]struct {
		tags map[string]string
		want []recovery.SourceServerID
	}{
		"one tag":                          {map[string]string{"Tier": "web"}, []recovery.SourceServerID{serverID(1), serverID(3), serverID(5)}},
		"all tags, not any":                {map[string]string{"Application": "hr", "Tier": "data"}, []recovery.SourceServerID{serverID(2), serverID(4)}},
		"every server":                     {map[string]string{"Application": "hr"}, serverIDs(5)},
		"a tag without a value":            {map[string]string{"Retired": ""}, []recovery.SourceServerID{serverID(2), serverID(4)}},
		"another value":                    {map[string]string{"Tier": "Web"}, nil},
		"another key":                      {map[string]string{"tier": "web"}, nil},
		"a tag that nobody carries":        {map[string]string{"Application": "hr", "Owner": "x"}, nil},
		"an empty value of no tag is none": {map[string]string{"Owner": ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 5, "        pageSize: 2\n"), simulator.Options{})
				servers, err := h.region().ServersByTag(t.Context(), tt.tags)
				if err != nil {
					t.Fatal(err)
				}
				var got []recovery.SourceServerID
				for _, s := range servers {
					got = append(got, s.ID)
					if s.Hostname == "" || s.Replication != "CONTINUOUS" || s.Lag == 0 {
						t.Errorf("server %+v is not described", s)
					}
				}
				same(t, "servers", fmt.Sprint(got), fmt.Sprint(tt.want))
				same(t, "calls", h.calls()["DescribeSourceServers"], 3)
				same(t, "the first one", h.wire.sent("DescribeSourceServers")[0], "{}")
			})
		})
	}
}

func TestServersByTagReadsEveryPageOrNone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 5, "        pageSize: 2\n"), simulator.Options{})
		tags := map[string]string{"Tier": "web"}
		h.fault("Throttle:operation=DescribeSourceServers,after=1,times=2")
		servers, err := h.region().ServersByTag(t.Context(), tags)
		if err != nil || len(servers) != 3 {
			t.Errorf("throttled for a while: got %+v, %v", servers, err)
		}
		h.clearFaults()
		h.fault("Refuse:operation=DescribeSourceServers,after=1,code=AccessDeniedException,status=403")
		servers, err = h.region().ServersByTag(t.Context(), tags)
		same(t, "code", h.refused(err).Code, "AccessDeniedException")
		same(t, "servers", len(servers), 0)
	})
}

func TestNoTagsAreRefusedUnsent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		_, err := h.region().ServersByTag(t.Context(), map[string]string{})
		t.Log(h.refused(err))
		same(t, "calls", h.calls()["DescribeSourceServers"], 0)
	})
}

// pagesOf answers DescribeSourceServers, page by page.
type pagesOf struct {
	http.RoundTripper
	pages []string
}

func (p *pagesOf) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/DescribeSourceServers" {
		return p.RoundTripper.RoundTrip(r)
	}
	page := p.pages[0]
	p.pages = p.pages[1:]
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(page)), Request: r}, nil
}

func TestAServerOnTwoPagesIsOneServer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		h.wire.next = &pagesOf{h.wire.next, []string{
			`{"nextToken":"1","items":[{"sourceServerID":"s-2","tags":{"A":"1"}},{"sourceServerID":"s-9"}]}`,
			`{"nextToken":"2","items":[]}`,
			`{"items":[{"sourceServerID":"s-2","tags":{"A":"1"}},{"sourceServerID":"s-1","tags":{"A":"1"}}]}`,
		}}
		servers, err := h.region().ServersByTag(t.Context(), map[string]string{"A": "1"})
		if err != nil || len(servers) != 2 || servers[0].ID != "s-1" || servers[1].ID != "s-2" {
			t.Errorf("got %+v, %v", servers, err)
		}
	})
}
