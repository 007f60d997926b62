// A shop as a tutorial writes it: three products in the source, one route. Usage: node server.js PORT
const express = require("express");

const products = [
  { id: 1, name: "জামদানি শাড়ি", price: 8500, stock: 12 },
  { id: 2, name: "সুন্দরবনের মধু", price: 950, stock: 40 },
  { id: 3, name: "নকশি কাঁথা", price: 3200, stock: 7 },
];

const app = express();
app.use(express.json());
app.get("/api/products", (request, response) => response.json(products));
app.listen(Number(process.argv[2]), "127.0.0.1");
