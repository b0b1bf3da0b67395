package simulator

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// page shows one page of the items that have these keys, and adds the token of
// the next. The token is opaque, and good only for the same question: it carries
// a hash of the operation and its filters, and the key of the last item shown,
// so that items that come or go meanwhile do not shift the pages.
func (h *handling) page(in map[string]any, member string, keys []string, show func(i int) any) (any, *apiError) {
	size := h.fleet.PageSize
	if n, ok := in["maxResults"].(json.Number); ok {
		if i, err := strconv.Atoi(n.String()); err == nil {
			size = min(i, 1000)
		}
	}
	question, start := h.question(in), 0
	if token := stringAt(in, "nextToken"); token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		of, after, ok := strings.Cut(string(raw), " ")
		if err != nil || !ok || of != question {
			return nil, invalid("Invalid nextToken.")
		}
		start = slices.Index(keys, after) + 1
		if start == 0 {
			start = len(keys) // what was shown last is gone: there is no going on from it
		}
	}
	end := min(start+size, len(keys))
	out := map[string]any{}
	if end < len(keys) {
		out["nextToken"] = base64.RawURLEncoding.EncodeToString([]byte(question + " " + keys[end-1]))
	}
	items := make([]any, 0, end-start)
	for i := start; i < end; i++ {
		items = append(items, show(i))
	}
	out[member] = items
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
