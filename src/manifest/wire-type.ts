import { type Node, typeName } from './node.ts';

export interface Checked {
  readonly value: string | number | boolean | undefined;
  readonly complaint: string | undefined;
}

/** resource.Quantity's own expression (apimachinery pkg/api/resource/quantity.go). */
const QUANTITY = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;
const INT64 = 2 ** 63;

/** Whether a node is a value of one of the API's scalar types. Nothing is converted, just as in an API server. */
export function checkScalar(node: Node, type: string): Checked {
  const value = node.kind === 'scalar' ? node.value : null;
  switch (type) {
    case 'string':
    case 'Time':
      return typeof value === 'string' ? good(value) : wrongType(node, 'string');
    case 'boolean':
      return typeof value === 'boolean' ? good(value) : wrongType(node, 'boolean');
    case 'int32':
    case 'int64':
      return typeof value === 'number' ? checkInteger(node, value, type) : wrongType(node, 'integer');
    case 'IntOrString':
      if (typeof value === 'number') return checkInteger(node, value, 'int32');
      return typeof value === 'string' ? good(value) : wrongType(node, 'integer or string');
    case 'Quantity':
      return checkQuantity(node, value);
    default:
      throw new Error(`the field table has a type without a decoder: ${type}`);
  }
}

function checkInteger(node: Node, value: number, type: 'int32' | 'int64'): Checked {
  if (!Number.isInteger(value)) return wrongType(node, 'integer');
  const limit = type === 'int32' ? 2 ** 31 : INT64;
  if (value < -limit || value >= limit) return bad(`Invalid value: ${value}: must fit into ${type}`);
  return good(value === 0 ? 0 : value); // -0 is 0
}

function checkQuantity(node: Node, value: Checked['value'] | null): Checked {
  if (typeof value !== 'string' && typeof value !== 'number') return wrongType(node, 'string');
  const text = String(value);
  if (!QUANTITY.test(text)) return bad(`Invalid value: "${text}": must be a quantity such as 500m, 64Mi or 2`);
  return good(text);
}

function good(value: string | number | boolean): Checked {
  return { value, complaint: undefined };
}

function bad(complaint: string): Checked {
  return { value: undefined, complaint };
}

function wrongType(node: Node, wanted: string): Checked {
  const found = typeName(node);
  // YAML's favourite trap: 8080, yes and 1.0 are not strings until they are quoted.
  const quote = wanted === 'string' && ['integer', 'number', 'boolean'].includes(found) ? '; put it in quotes' : '';
  return bad(`Invalid value: "${found}": must be of type ${wanted}${quote}`);
}
