package simulator

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
)

// page cuts one page out of the items and adds the token of the next. The token
// is opaque, and good only for the same question: it carries a hash of the
// operation and its filters, and the key of the last item shown, so that items
// that come or go meanwhile do not shift the pages.
func (h *handling) page(in map[string]any, member string, items []any, keys []string) (any, *apiError) {
	size := h.fleet.PageSize
	if n, ok := in["maxResults"].(json.Number); ok {
		if i, err := strconv.Atoi(n.String()); err == nil {
			size = min(i, 1000)
		}
	}
	question := h.question(in)
	if token := stringAt(in, "nextToken"); token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		of, after, ok := strings.Cut(string(raw), " ")
		if err != nil || !ok || of != question {
			return nil, invalid("Invalid nextToken.")
		}
		start := len(items)
		for i, k := range keys {
			if k == after {
				start = i + 1
			}
		}
		items, keys = items[start:], keys[start:]
	}
	out := map[string]any{}
	if len(items) > size {
		out["nextToken"] = base64.RawURLEncoding.EncodeToString([]byte(question + " " + keys[size-1]))
		items = items[:size]
	}
	out[member] = items
	if items == nil {
		out[member] = []any{}
	}
	return out, nil
}

func (h *handling) question(in map[string]any) string {
	asked := map[string]any{}
	for k, v := range in {
		if k != "nextToken" && k != "maxResults" {
			asked[k] = v
		}
	}
	text, _ := json.Marshal(asked) // came from JSON; the keys are sorted
	sum := h.w.digest("page", h.at.account, h.at.region, h.request.operation, string(text))
	return hex.EncodeToString(sum[:6])
}
