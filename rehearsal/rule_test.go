//go:build rehearsal

package rehearsal_test

import (
	"encoding/json"
	"fmt"
	"strings"
)

// statusChanged plays EventBridge: it tells the template's rules that a run has
// ended, the way Step Functions does, with the input that no rule may pass on.
func (c *cloud) statusChanged(r *run) {
	event, err := json.Marshal(map[string]any{
		"version": "0", "source": "aws.states", "detail-type": "Step Functions Execution Status Change", "account": account, "region": region,
		"resources": []string{r.arn},
		"detail": map[string]any{"executionArn": r.arn, "stateMachineArn": c.machine.arn, "name": r.name, "status": c.machine.status(r.name),
			"input": string(r.input)},
	})
	if err != nil {
		c.machine.t.Error(err)
		return
	}
	for name, rule := range c.stack.Of("AWS::Events::Rule") {
		wanted, is := rule.Properties["EventPattern"].(map[string]any)
		if !is {
			continue // a schedule
		}
		if err := pattern(wanted).check(); err != nil {
			c.machine.t.Errorf("the rule %s: %v", name, err)
		}
		if pattern(wanted).matches(event) {
			c.target(name, event)
		}
	}
}

// target invokes what a rule names, with what it makes of an event.
func (c *cloud) target(rule string, event []byte) {
	for _, t := range c.property(rule, "Targets").([]any) {
		target := t.(map[string]any)
		input, given := target["Input"].(string)
		if !given {
			var err error
			if input, err = transformed(target["InputTransformer"].(map[string]any), event); err != nil {
				c.machine.t.Errorf("the rule %s: %v", rule, err)
				return
			}
		}
		answer, failed, err := c.lambda.invoke(c.machine.life, eventBridge, fmt.Sprint(target["Arn"]), []byte(input))
		if (err != nil || failed) && c.machine.life.Err() == nil {
			c.machine.t.Errorf("the rule %s sent %s, and it came to: %s (%v)", rule, input, answer, err)
		}
		c.bell.ring()
	}
}

// transformed is what a rule's input transformer makes of an event.
func transformed(transformer map[string]any, event []byte) (string, error) {
	var whole any
	if err := json.Unmarshal(event, &whole); err != nil {
		return "", err
	}
	text := transformer["InputTemplate"].(string)
	for name, path := range transformer["InputPathsMap"].(map[string]any) {
		v := whole
		for _, key := range strings.Split(strings.TrimPrefix(path.(string), "$."), ".") {
			fields, _ := v.(map[string]any)
			v = fields[key]
		}
		text = strings.ReplaceAll(text, "<"+name+">", fmt.Sprint(v))
	}
	if !json.Valid([]byte(text)) {
		return "", fmt.Errorf("its input is no JSON: %s", text)
	}
	return text, nil
}
