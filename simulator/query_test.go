package simulator

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAnswersAreWrittenAsClientsReadThem(t *testing.T) {
	result := map[string]any{
		"b": true, "n": 7, "at": time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.FixedZone("", 3600)), "left": nil,
		"text":  "a<b>&\"\x01ü",
		"items": []any{map[string]any{"k": "1"}, "2"},
		"named": xmlList{Element: "groupId", Values: []any{"sg-1"}},
		"none":  []any(nil),
	}
	tests := []struct{ service, want string }{
		{serviceEC2, `<DoResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId>` +
			`<at>2026-03-04T04:06:07.008Z</at><b>true</b><items><item><k>1</k></item><item>2</item></items><n>7</n>` +
			`<named><groupId>sg-1</groupId></named><none></none><text>a&lt;b&gt;&amp;&#34;` + "\uFFFD" + `ü</text></DoResponse>`},
		{serviceSTS, `<DoResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><DoResult>` +
			`<at>2026-03-04T04:06:07.008Z</at><b>true</b><items><member><k>1</k></member><member>2</member></items><n>7</n>` +
			`<named><groupId>sg-1</groupId></named><none></none><text>a&lt;b&gt;&amp;&#34;` + "\uFFFD" + `ü</text></DoResult>` +
			`<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></DoResponse>`},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		writeQueryAnswer(w, tt.service, "Do", "r-1", result)
		if got := w.Body.String(); got != xml.Header+tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.service, got, tt.want)
		}
		if got := w.Header().Get("Content-Type"); w.Code != 200 || !strings.HasPrefix(got, "text/xml") {
			t.Errorf("%s: got status %d, type %q", tt.service, w.Code, got)
		}
	}
}

// The two structs are what aws-sdk-go-v2 decodes errors into (aws/protocol/ec2query and aws/protocol/xml).
func TestErrorsAreWrittenAsClientsReadThem(t *testing.T) {
	e := &apiError{Status: 503, Code: "RequestLimitExceeded", Message: "a & b", Header: http.Header{"retry-after": {"2"}}}

	var ec2 struct {
		XMLName   xml.Name `xml:"Response"`
		Code      string   `xml:"Errors>Error>Code"`
		Message   string   `xml:"Errors>Error>Message"`
		RequestID string   `xml:"RequestID"`
	}
	w := httptest.NewRecorder()
	writeQueryError(w, serviceEC2, "r-1", e)
	if err := xml.Unmarshal(w.Body.Bytes(), &ec2); err != nil {
		t.Fatal(err)
	}
	if ec2.Code != e.Code || ec2.Message != e.Message || ec2.RequestID != "r-1" || w.Code != 503 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("got %+v, status %d, header %v", ec2, w.Code, w.Header())
	}

	var sts struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}
	w = httptest.NewRecorder()
	writeQueryError(w, serviceSTS, "r-1", e)
	if err := xml.Unmarshal(w.Body.Bytes(), &sts); err != nil {
		t.Fatal(err)
	}
	if sts.Type != "Receiver" || sts.Code != e.Code || sts.Message != e.Message || sts.RequestID != "r-1" {
		t.Errorf("got %+v", sts)
	}
}
