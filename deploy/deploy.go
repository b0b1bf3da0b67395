// Package deploy holds what is deployed: the definition of the state machine
// that drives executions, in AWS and on one machine alike.
package deploy

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// StateMachine is the definition, in the Amazon States Language. The function
// that its tasks invoke stands in it as ${ExecutionHandlerArn}, which
// CloudFormation fills in by DefinitionSubstitutions, and Fill does here.
//
//go:embed state-machine.asl.json
var StateMachine []byte

// Handler is the name of the one substitution of StateMachine.
const Handler = "ExecutionHandlerArn"

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9_]+)\}`)

// Fill puts values in the place of a definition's ${Name}s, as CloudFormation
// does. A name without a value and a value without a name are errors.
func Fill(definition []byte, substitutions map[string]string) ([]byte, error) {
	unused := maps.Clone(substitutions)
	missing := map[string]bool{}
	filled := placeholder.ReplaceAllFunc(definition, func(found []byte) []byte {
		name := string(found[2 : len(found)-1])
		v, ok := substitutions[name]
		if !ok {
			missing[name] = true
			return found
		}
		delete(unused, name)
		quoted, _ := json.Marshal(v) // a string can always be encoded
		return quoted[1 : len(quoted)-1]
	})
	if len(missing) > 0 {
		return nil, fmt.Errorf("the definition needs values for %s", names(missing))
	}
	if len(unused) > 0 {
		return nil, fmt.Errorf("the definition has no place for %s", names(unused))
	}
	return filled, nil
}

func names[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
