//! The attack on registers so small that everything can be tried.

mod examples;
mod naive;
mod random;
mod register;
