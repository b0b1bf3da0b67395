package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// drs handles an operation of DRS: permission, initialization, the shape of the
// request, and then the operation itself.
func (h *handling) drs() (any, *apiError) {
	q := h.request
	op := drsOperations[q.operation]
	if !h.replaying {
		if e := h.may("drs:"+q.operation, h.resource()); e != nil {
			return nil, e
		}
		if q.malformed != nil {
			return nil, q.malformed
		}
		if e := validationError(checkShape(operations[q.operation].Input, any(q.body), h.w.strict)); e != nil {
			return nil, e
		}
		if !h.initialized && !op.withoutInit {
			return nil, &apiError{Status: 400, Code: "UninitializedAccountException",
				Message: fmt.Sprintf("Account %s is not initialized in %s.", h.at.account, h.at.region)}
		}
	}
	return op.handle(h, q.body)
}

// resource is what IAM says a call is about.
func (h *handling) resource() string {
	if arn := stringAt(h.request.body, "resourceArn"); arn != "" {
		return arn
	}
	if len(h.oracle.servers) > 0 {
		return h.arn("source-server", h.oracle.servers[0])
	}
	return fmt.Sprintf("arn:aws:drs:%s:%s:*", h.at.region, h.at.account)
}

// checkedBody encodes a result and checks it against DRS's own shapes.
func (h *handling) checkedBody(result any) ([]byte, *apiError) {
	if result == nil {
		result = map[string]any{}
	}
	body, err := json.Marshal(result)
	if err != nil {
		return nil, &apiError{Status: 500, Code: "InternalServerException", Message: "simulator: " + err.Error()}
	}
	shape := operations[h.request.operation].Output
	if shape == "" {
		return body, nil
	}
	var v any
	_ = decodeNumbers(body, &v)
	if ps := checkAnswer(shape, v, h.w.strict); len(ps) > 0 {
		texts := make([]string, len(ps))
		for i, p := range ps {
			texts[i] = p.Message
		}
		return nil, &apiError{Status: 500, Code: "InternalServerException",
			Message: "simulator: this answer breaks the API's own constraints: " + strings.Join(texts, "; ")}
	}
	return body, nil
}

// named lists the source servers that a request is about, as far as can be told from its input.
func (r *region) named(q *request) []string {
	var ids []string
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	add(stringAt(q.body, "sourceServerID"))
	for _, item := range listAt(q.body, "sourceServers") {
		if m, ok := item.(map[string]any); ok {
			add(stringAt(m, "sourceServerID"))
		}
	}
	if f, ok := q.body["filters"].(map[string]any); ok {
		for _, id := range stringsAt(f, "sourceServerIDs") {
			add(id)
		}
	}
	for _, id := range stringsAt(q.body, "recoveryInstanceIDs") {
		for _, n := range r.instances {
			if n.id == id {
				add(n.server.ID)
			}
		}
	}
	if arn := stringAt(q.body, "resourceArn"); arn != "" {
		if id := arn[strings.LastIndex(arn, "/")+1:]; r.servers[id] != nil {
			add(id)
		}
	}
	for _, key := range sortedKeys(q.form) {
		for _, v := range q.form[key] {
			if s := r.templates[v]; s != nil && strings.HasPrefix(key, "LaunchTemplateId") {
				add(s.ID)
			}
		}
	}
	return ids
}

// The input has passed checkShape: what is there has the right type.

func stringAt(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

func boolAt(m map[string]any, name string) (value, given bool) {
	value, given = m[name].(bool)
	return value, given
}

func listAt(m map[string]any, name string) []any {
	l, _ := m[name].([]any)
	return l
}

func stringsAt(m map[string]any, name string) []string {
	var ts []string
	for _, v := range listAt(m, name) {
		if t, ok := v.(string); ok {
			ts = append(ts, t)
		}
	}
	return ts
}

func objectAt(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}

func stringMap(m map[string]any, name string) map[string]string {
	out := map[string]string{}
	for k, v := range objectAt(m, name) {
		if t, ok := v.(string); ok {
			out[k] = t
		}
	}
	return out
}

// invalid is a request that has the right shape and still makes no sense.
func invalid(format string, args ...any) *apiError {
	return &apiError{Status: 400, Code: "ValidationException", Message: fmt.Sprintf(format, args...),
		Extra: map[string]any{"reason": "other"}}
}

func notFound(kind, id string) *apiError {
	return &apiError{Status: 404, Code: "ResourceNotFoundException", Message: fmt.Sprintf("%s %s not found.", kind, id),
		Extra: map[string]any{"resourceId": id, "resourceType": kind}}
}

func conflict(message string) *apiError {
	return &apiError{Status: 409, Code: "ConflictException", Message: message}
}

func quotaExceeded(quota, format string, args ...any) *apiError {
	return &apiError{Status: 402, Code: "ServiceQuotaExceededException", Message: fmt.Sprintf(format, args...),
		Extra: map[string]any{"serviceCode": "drs", "quotaCode": quota}}
}

func (h *handling) initializeService(map[string]any) (any, *apiError) {
	h.initialized = true
	return nil, nil
}

func (h *handling) listStagingAccounts(in map[string]any) (any, *apiError) {
	return h.page(in, "accounts", nil, nil)
}
