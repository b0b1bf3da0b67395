package stepfunctions

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

type succeed struct{ named }

func (*succeed) leads() ([]string, error) { return nil, nil }

func (*succeed) walk(_ context.Context, _ *visit, in value) (value, string, error) {
	return in, "", nil
}

type fail struct {
	named
	Error, Cause         string
	ErrorPath, CausePath path
}

func (*fail) leads() ([]string, error) { return nil, nil }

func (f *fail) walk(_ context.Context, v *visit, in value) (value, string, error) {
	failure := &Failure{f.Error, f.Cause}
	for _, part := range []struct {
		from path
		to   *string
	}{{f.ErrorPath, &failure.Name}, {f.CausePath, &failure.Cause}} {
		if !part.from.given() {
			continue
		}
		found, err := v.need(part.from, in)
		if err != nil {
			return nil, "", err
		}
		if json.Unmarshal(found, part.to) != nil {
			return nil, "", &TaskError{Runtime, fmt.Sprintf("what the path %q leads to is no string", part.from.text)}
		}
	}
	return nil, "", failure
}

type wait struct {
	named
	onward
	Seconds     *uint
	SecondsPath path
}

func (w *wait) leads() ([]string, error) {
	if (w.Seconds != nil) == w.SecondsPath.given() {
		return nil, fmt.Errorf("has to have exactly one of Seconds and SecondsPath")
	}
	return w.onward.leads()
}

func (w *wait) walk(ctx context.Context, v *visit, in value) (value, string, error) {
	var seconds uint
	if w.Seconds != nil {
		seconds = *w.Seconds
	} else {
		found, err := v.need(w.SecondsPath, in)
		if err != nil {
			return nil, "", err
		}
		if json.Unmarshal(found, &seconds) != nil {
			return nil, "", &TaskError{Runtime, fmt.Sprintf("what the SecondsPath %q leads to is no whole number from 0", w.SecondsPath.text)}
		}
	}
	return in, w.Next, v.sleep(ctx, time.Duration(seconds)*time.Second)
}

type pass struct {
	named
	onward
	InputPath, ResultPath, OutputPath path
	Parameters                        *template
	Result                            value
}

func (p *pass) walk(_ context.Context, v *visit, in value) (value, string, error) {
	result, err := v.need(p.InputPath, in)
	if err == nil {
		result, err = p.Parameters.fill(v, result)
	}
	if p.Result != nil {
		result = p.Result
	}
	if err == nil {
		result, err = v.leave(in, result, p.ResultPath, p.OutputPath)
	}
	return result, p.Next, err
}

// leave combines a state's result with what came in, and takes from that what
// goes on.
func (v *visit) leave(in, result value, put, take path) (value, error) {
	out, err := put.into(in, result)
	if err != nil {
		return nil, err
	}
	return v.need(take, out)
}
