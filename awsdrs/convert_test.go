package awsdrs

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// notAsked are fields that EC2 shows and nobody can ask for.
var notAsked = []string{
	".Operator.",                      // whose template it is
	".MetadataOptions.State",          // whether they have taken effect
	".Ipv6Addresses[0].IsPrimaryIpv6", // there is PrimaryIpv6 of the interface
}

func TestEveryFieldOfALaunchTemplateSurvivesTheCopy(t *testing.T) {
	var shown types.ResponseLaunchTemplateData
	fill(reflect.ValueOf(&shown).Elem())
	asked, err := convert[types.RequestLaunchTemplateData](shown)
	if err != nil {
		t.Fatal(err)
	}
	lost(t, "", reflect.ValueOf(shown), reflect.ValueOf(asked))
}

// fill gives every field a value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1e9, 0).UTC()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7)
	default:
		panic("fill does not know " + v.Type().String())
	}
}

// lost reports every field of shown that asked does not have.
func lost(t *testing.T, path string, shown, asked reflect.Value) {
	if slices.ContainsFunc(notAsked, func(known string) bool { return strings.HasSuffix(path+".", known) || strings.HasSuffix(path, known) }) {
		return
	}
	if !asked.IsValid() || asked.Kind() != shown.Kind() || asked.IsZero() {
		t.Errorf("%s is lost", path)
		return
	}
	switch shown.Kind() {
	case reflect.Pointer:
		lost(t, path, shown.Elem(), asked.Elem())
	case reflect.Slice:
		lost(t, path+"[0]", shown.Index(0), asked.Index(0))
	case reflect.Struct:
		if shown.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range shown.NumField() {
			if f := shown.Type().Field(i); f.IsExported() {
				lost(t, path+"."+f.Name, shown.Field(i), asked.FieldByName(f.Name))
			}
		}
	default:
		if !shown.Equal(asked.Convert(shown.Type())) {
			t.Errorf("%s is %v, want %v", path, asked, shown)
		}
	}
}
