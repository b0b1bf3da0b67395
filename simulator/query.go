package simulator

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The query protocol: a form goes in, XML comes out. EC2 and STS speak two dialects of it. EC2 numbers its lists
// flatly (SubnetId.1) and answers with the fields right in the root element; STS puts "member" in between
// (Tags.member.1) and wraps the fields into <ActionResult>. Their errors differ, too.
const (
	serviceEC2 = "ec2" // the service's name in a signature's scope
	serviceSTS = "sts"

	versionEC2 = "2016-11-15"
	versionSTS = "2011-06-15"
)

// queryTime is how EC2 and STS write their times: milliseconds and a Z.
const queryTime = "2006-01-02T15:04:05.000Z"

// xmlList is a list in an answer whose elements are not called what the service calls them everywhere (item for EC2,
// member for STS). A plain []any is a list with the usual name.
type xmlList struct {
	Element string
	Values  []any
}

// writeQueryAnswer writes a result as the service's XML. result is made of map[string]any (written in the order of its
// keys), []any, xmlList, string, bool, int, int64 and time.Time; a nil value is left out. A nil result is an answer
// without fields.
func writeQueryAnswer(w http.ResponseWriter, service, action, requestID string, result any) {
	x := xmlWriter{element: "item"}
	x.raw(xml.Header)
	if service == serviceSTS {
		x.element = "member"
		x.raw("<" + action + `Response xmlns="https://sts.amazonaws.com/doc/` + versionSTS + `/">`)
		x.raw("<" + action + "Result>")
		x.fields(result)
		x.raw("</" + action + "Result>")
		x.raw("<ResponseMetadata>")
		x.field("RequestId", requestID)
		x.raw("</ResponseMetadata>")
	} else {
		x.raw("<" + action + `Response xmlns="http://ec2.amazonaws.com/doc/` + versionEC2 + `/">`)
		x.field("requestId", requestID)
		x.fields(result)
	}
	x.raw("</" + action + "Response>")
	x.send(w, requestID, http.StatusOK, nil)
}

// writeQueryError writes an error as the service's XML: EC2's root has a list of errors and "RequestID", STS's has one
// error with a type and "RequestId".
func writeQueryError(w http.ResponseWriter, service, requestID string, e *apiError) {
	var x xmlWriter
	x.raw(xml.Header)
	if service == serviceSTS {
		side := "Sender"
		if e.Status >= http.StatusInternalServerError {
			side = "Receiver"
		}
		x.raw(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/` + versionSTS + `/"><Error>`)
		x.field("Type", side)
		x.field("Code", e.Code)
		x.field("Message", e.Message)
		x.raw("</Error>")
		x.field("RequestId", requestID)
		x.raw("</ErrorResponse>")
	} else {
		x.raw("<Response><Errors><Error>")
		x.field("Code", e.Code)
		x.field("Message", e.Message)
		x.raw("</Error></Errors>")
		x.field("RequestID", requestID)
		x.raw("</Response>")
	}
	x.send(w, requestID, e.Status, e.Header)
}

// xmlWriter writes trees as XML. encoding/xml cannot: it wants a Go type for each element, and a launch template keeps
// fields that no Go type here knows.
type xmlWriter struct {
	buf     bytes.Buffer
	element string // what a plain list's elements are called
}

func (x *xmlWriter) raw(s string) { x.buf.WriteString(s) }

func (x *xmlWriter) fields(v any) {
	m, _ := v.(map[string]any)
	for _, name := range sortedKeys(m) {
		x.field(name, m[name])
	}
}

func (x *xmlWriter) field(name string, v any) {
	if v == nil {
		return
	}
	x.raw("<" + name + ">")
	switch v := v.(type) {
	case map[string]any:
		x.fields(v)
	case []any:
		for _, e := range v {
			x.field(x.element, e)
		}
	case xmlList:
		for _, e := range v.Values {
			x.field(v.Element, e)
		}
	case time.Time:
		x.raw(v.UTC().Format(queryTime))
	case string:
		// EscapeText cannot fail on a buffer. It writes U+FFFD for what XML cannot hold.
		_ = xml.EscapeText(&x.buf, []byte(v))
	case bool, int, int64:
		fmt.Fprint(&x.buf, v)
	default:
		panic(fmt.Sprintf("simulator: an answer holds a %T in %s", v, name))
	}
	x.raw("</" + name + ">")
}

func (x *xmlWriter) send(w http.ResponseWriter, requestID string, status int, header http.Header) {
	for name, values := range header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.Header().Set("x-amzn-RequestId", requestID)
	w.WriteHeader(status)
	_, _ = w.Write(x.buf.Bytes()) // a client that went away needs no answer
}

// unknownAction is the answer to an action that the simulator does not have. AWS has many that it lacks, so it says
// which there are, instead of AWS's bare refusal.
func unknownAction(action string, implemented []string) *apiError {
	return &apiError{
		Status: http.StatusBadRequest,
		Code:   "InvalidAction",
		Message: fmt.Sprintf("The action %s is not valid for this web service. This simulator implements: %s.",
			action, strings.Join(implemented, ", ")),
	}
}
