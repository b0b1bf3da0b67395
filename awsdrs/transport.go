package awsdrs

import (
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// tuned gives the client that requests go through: the one that was asked for,
// else the configuration's. One that the SDK built (it may carry a company's
// own certificates) is tuned: as it comes it keeps ten idle connections to a
// host, and a wave of a hundred servers would open the others anew each time.
func tuned(asked, configured aws.HTTPClient, inFlight int) aws.HTTPClient {
	if asked != nil {
		return asked
	}
	client, built := configured.(*awshttp.BuildableClient)
	switch {
	case configured == nil || built && client == nil:
		client = awshttp.NewBuildableClient()
	case !built:
		return configured
	}
	return client.WithDialerOptions(func(d *net.Dialer) {
		d.Timeout = 5 * time.Second
	}).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 4 * inFlight
		t.MaxIdleConnsPerHost = inFlight
		t.TLSHandshakeTimeout = 5 * time.Second
	}).Freeze()
}
