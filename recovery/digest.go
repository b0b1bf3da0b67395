package recovery

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Digests mark a plan: another plan has others. They are taken of the plan as
// it was asked for, before groups are resolved by their tags, so that the same
// event has the same digests whatever DRS holds by then. There is one for each
// way of taking them that a record may have, the newest first; none: it is not
// known which plan it is.
type Digests []string

// Of says whether a record's digest is of this plan, so far as both are known.
func (d Digests) Of(recorded string) bool {
	return len(d) == 0 || recorded == "" || slices.Contains(d, recorded)
}

// Digests marks the plan.
func (p *Plan) Digests() (Digests, error) {
	says, err := p.canonical()
	if err != nil {
		return nil, err
	}
	frozen, err := p.frozen0()
	if err != nil {
		return nil, err
	}
	return Digests{"2:" + digest(says), digest(frozen)}, nil
}

func digest(of []byte) string {
	sum := sha256.Sum256(of)
	return hex.EncodeToString(sum[:])
}

// canonical gives what the plan says, always in the same bytes: without what is
// at its default, so that a version which knows more keys gives the same bytes
// of a plan that has none of them, and without external ids.
func (p *Plan) canonical() ([]byte, error) {
	d := p.Document()
	d.Account.hideExternalID()
	slices.SortStableFunc(d.Waves, func(a, b WaveDocument) int { return cmp.Compare(a.Number, b.Number) })
	for i := range d.Waves {
		w := &d.Waves[i]
		w.Account.hideExternalID()
		if w.OnFailure == PauseOnFailure {
			w.OnFailure = ""
		}
		if w.Timeout == WaveMinutes(DefaultWaveTimeout.Minutes()) {
			w.Timeout = 0
		}
		w.Servers = slices.Clone(w.Servers) // they are the plan's
		for j := range w.Servers {
			if w.Servers[j].Impact == Critical {
				w.Servers[j].Impact = ""
			}
		}
	}
	written, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var sorted any // by key: the order of Go's fields says nothing
	if err := json.Unmarshal(written, &sorted); err != nil {
		return nil, err
	}
	return json.Marshal(sorted)
}

func (d *AccountDocument) hideExternalID() {
	if d != nil {
		d.ExternalID = OpenSecret{}
	}
}
