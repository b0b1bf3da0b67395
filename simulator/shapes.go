package simulator

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// constraintsJSON holds the wire shapes of the DRS operations that are simulated: which members are required, and every
// length, range, pattern and enumeration; and of STS's AssumeRole. It is derived from AWS's public API models of DRS
// (2020-02-26) and STS (2011-06-15), which are under the Apache License 2.0; see NOTICE.
//
//go:embed constraints.json
var constraintsJSON []byte

// operation is one call of the DRS API, as AWS's model describes it.
type operation struct {
	Name   string   `json:"-"`
	Method string   `json:"method"`
	URI    string   `json:"uri"` // may hold one {member}, as /tags/{resourceArn} does
	Status int      `json:"status"`
	Input  string   `json:"input"`  // a shape's name
	Output string   `json:"output"` // a shape's name; empty where the answer has no body
	Errors []string `json:"errors"` // the declared ones; AWS sends others, too
}

// shape is one type of the API.
type shape struct {
	Type       string            `json:"type"` // structure, list, map, string, boolean, integer or long
	Required   []string          `json:"required"`
	Members    map[string]member `json:"members"`
	Member     string            `json:"member"` // a list's
	Key        string            `json:"key"`    // a map's
	Value      string            `json:"value"`  // a map's
	Min        *int64            `json:"min"`    // a length of a string in characters, a size of a list or map, or a least value
	Max        *int64            `json:"max"`
	Pattern    string            `json:"pattern"`
	Enum       []string          `json:"enum"`
	HTTPStatus int               `json:"httpStatus"` // an error's

	strict  *regexp.Regexp // Pattern, anchored; nil where there is none or RE2 cannot hold it
	relaxed *regexp.Regexp // for an identifier: its prefix and characters only; nil for any other shape
}

// member is a structure's reference to a shape. The model writes a bare name where the member travels in the body.
type member struct {
	Shape    string `json:"shape"`
	Location string `json:"location"` // header, uri, querystring; empty for the body
	Name     string `json:"name"`     // what the member is called there
}

func (m *member) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &m.Shape)
	}
	type plain member
	return json.Unmarshal(b, (*plain)(m))
}

// operations are the DRS operations that the model describes, by name.
var operations = model().Operations

// apiModel is constraints.json.
type apiModel struct {
	Operations map[string]operation `json:"operations"`
	Shapes     map[string]*shape    `json:"shapes"`
}

// model reads constraints.json once. The file is part of the program: one that cannot be read is a mistake of ours.
var model = sync.OnceValue(func() *apiModel {
	m := new(apiModel)
	if err := json.Unmarshal(constraintsJSON, m); err != nil {
		panic("simulator: constraints.json: " + err.Error())
	}
	for name, op := range m.Operations {
		op.Name = name
		m.Operations[name] = op
	}
	for _, s := range m.Shapes {
		s.compile()
	}
	return m
})

// beyondRE2 is the one pattern whose repeat count RE2 refuses (its limit is 1,000). lengthOnly checks it.
const beyondRE2 = "arn:.{16,2044}"

// identifier finds the literal that an identifier's pattern starts with, such as "pit-" or "arn:".
var identifier = regexp.MustCompile(`^(s|drsjob|pit|i|lct|sn|sg|subnet|vpc|vol|snap)-|^arn:`)

func (s *shape) compile() {
	if s.Pattern == "" {
		return
	}
	if s.Pattern != beyondRE2 {
		s.strict = regexp.MustCompile(`^(?:` + s.Pattern + `)$`)
	}
	switch prefix := identifier.FindString(s.Pattern); prefix {
	case "":
	case "arn:":
		s.relaxed = regexp.MustCompile(`^arn:[0-9A-Za-z:/_.-]+$`)
	default:
		s.relaxed = regexp.MustCompile(`^` + prefix + `[0-9A-Za-z][0-9A-Za-z_-]*$`)
	}
}

// errorStatus gives the HTTP status that DRS sends with an error code: 400 for codes that its model does not know, which
// is what AWS's front end uses for its own refusals of a request.
func errorStatus(code string) int {
	if s := model().Shapes[code]; s != nil && s.HTTPStatus != 0 {
		return s.HTTPStatus
	}
	return http.StatusBadRequest
}

// validationError turns what checkShape found into the one answer that AWS gives for it, nil where nothing was found. A
// value of the wrong type cannot be read at all, which AWS says with another code and without looking further.
func validationError(problems []problem) *apiError {
	if len(problems) == 0 {
		return nil
	}
	var texts []string
	var fields []any
	for _, p := range problems {
		if p.unreadable {
			return &apiError{Status: http.StatusBadRequest, Code: "SerializationException", Message: p.Message}
		}
		texts = append(texts, p.Message)
		fields = append(fields, map[string]any{"name": p.Path, "message": p.Message})
	}
	return &apiError{
		Status:  http.StatusBadRequest,
		Code:    "ValidationException",
		Message: detected(texts),
		Extra:   map[string]any{"reason": "fieldValidationFailed", "fieldList": fields},
	}
}

// detected is how AWS tells all that is wrong with a request.
func detected(texts []string) string {
	noun := "errors"
	if len(texts) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(texts), noun, strings.Join(texts, "; "))
}
