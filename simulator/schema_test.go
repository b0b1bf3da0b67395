package simulator_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"muster/simulator"
)

// schema is as much of a JSON Schema as is compared with the Go types.
type schema struct {
	Ref                  string             `json:"$ref"`
	Defs                 map[string]*schema `json:"$defs"`
	Description          string             `json:"description"`
	Properties           map[string]*schema `json:"properties"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	Items                json.RawMessage    `json:"items"`
	Enum                 []any              `json:"enum"`
}

func TestTheFleetFilesSchemaHasTheKeysThatTheDecoderReads(t *testing.T) {
	data, err := os.ReadFile("../docs/schema/fleet.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	root := new(schema)
	if err := json.Unmarshal(data, root); err != nil {
		t.Fatal(err)
	}
	c := schemaComparison{t, root, map[reflect.Type]bool{}}
	c.compare("fleet", root, reflect.TypeFor[simulator.Fleet]())

	var names []string
	for _, n := range root.Defs["fault"].Properties["name"].Enum {
		names = append(names, n.(string))
	}
	if !slices.Equal(names, simulator.FaultNames()) {
		t.Errorf("the schema's faults are %v, the simulator's %v", names, simulator.FaultNames())
	}
}

type schemaComparison struct {
	t    *testing.T
	root *schema
	seen map[reflect.Type]bool
}

func (c *schemaComparison) compare(path string, s *schema, typ reflect.Type) {
	c.t.Helper()
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		if s = c.root.Defs[name]; s == nil {
			c.t.Errorf("%s: no definition is called %s", path, name)
			return
		}
	}
	switch {
	case typ == reflect.TypeFor[yaml.Node](), typ == reflect.TypeFor[simulator.Bucket]():
		return // read by others, or in a way of its own
	case typ.Kind() == reflect.Pointer:
		c.compare(path, s, typ.Elem())
	case typ.Kind() == reflect.Slice:
		c.compare(path+"[]", c.parse(path, s.Items), typ.Elem())
	case typ.Kind() == reflect.Map && typ.Elem().Kind() == reflect.Map:
		// Rates by service: the services are properties, the operations keys.
		for name, of := range s.Properties {
			c.compare(path+"."+name, of, typ.Elem())
		}
	case typ.Kind() == reflect.Map:
		c.compare(path+".*", c.parse(path, s.AdditionalProperties), typ.Elem())
	case typ.Kind() == reflect.Struct:
		c.compareStruct(path, s, typ)
	}
}

func (c *schemaComparison) compareStruct(path string, s *schema, typ reflect.Type) {
	if c.seen[typ] {
		return
	}
	c.seen[typ] = true
	if string(s.AdditionalProperties) != "false" {
		c.t.Errorf("%s: the schema lets unknown keys pass, the decoder does not", path)
	}
	known := map[string]bool{}
	for field := range typ.Fields() {
		key := field.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		known[key] = true
		if s.Properties[key] == nil {
			c.t.Errorf("%s.%s is read by the decoder, and not in the schema", path, key)
			continue
		}
		if p := s.Properties[key]; p.Description == "" && p.Ref == "" {
			c.t.Errorf("%s.%s has no description", path, key)
		}
		c.compare(path+"."+key, s.Properties[key], field.Type)
	}
	for key := range s.Properties {
		if !known[key] {
			c.t.Errorf("%s.%s is in the schema, and not read by the decoder", path, key)
		}
	}
}

func (c *schemaComparison) parse(path string, raw json.RawMessage) *schema {
	s := new(schema)
	if err := json.Unmarshal(raw, s); err != nil {
		c.t.Errorf("%s: the schema says nothing about what is in it: %v", path, err)
	}
	return s
}
